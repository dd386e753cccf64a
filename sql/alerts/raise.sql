-- Opens alerts, and those that are open already again where their detail has changed.
INSERT INTO crm.alert AS a (account_id, cause, detail, message)
SELECT f.account_id, f.cause, f.detail, f.message
FROM unnest(
    CAST(:account_ids AS text []),
    CAST(:causes AS text []),
    CAST(:details AS text []),
    CAST(:messages AS text [])
) AS f (account_id, cause, detail, message)
ON CONFLICT (coalesce(account_id, ''), cause) WHERE closed_at IS NULL DO UPDATE
SET
    detail = excluded.detail,
    message = excluded.message,
    raised_at = now(),
    version = a.version + 1
WHERE a.detail <> excluded.detail
