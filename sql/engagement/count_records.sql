-- The records of some objects that stand in the org for some topics; not those that were emptied.
SELECT count(*) AS number
FROM crm.record AS r
WHERE
    r.account_id = :account_id
    AND r.topic = any(CAST(:topics AS text []))
    AND r.sobject = any(CAST(:sobjects AS text []))
    AND (
        r.last = '{}'
        OR EXISTS (
            SELECT FROM jsonb_each(r.last) AS held (field, value)
            WHERE held.value NOT IN ('null', 'false')
        )
    )
