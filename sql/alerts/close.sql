-- Closes the alerts of these causes that are no longer so.
UPDATE crm.alert AS a
SET closed_at = now()
WHERE
    a.closed_at IS NULL
    AND a.cause = any(CAST(:closing AS text []))
    AND NOT EXISTS (
        SELECT FROM unnest(
            CAST(:account_ids AS text []), CAST(:causes AS text [])
        ) AS f (account_id, cause)
        WHERE coalesce(f.account_id, '') = coalesce(a.account_id, '') AND f.cause = a.cause
    )
