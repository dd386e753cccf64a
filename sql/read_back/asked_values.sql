-- Values asked of some records since they were last known to be done: they may stand in the org.
SELECT o.natural_key, o.kind, o.intent, o.sent
FROM crm.operation AS o
WHERE
    o.account_id = :account_id
    AND o.natural_key = any(CAST(:natural_keys AS text []))
    AND o.kind IN ('person', 'record')
    AND o.version > coalesce(
        (
            SELECT max(d.version)
            FROM crm.operation AS d
            WHERE
                d.account_id = o.account_id
                AND d.natural_key = o.natural_key
                AND d.state = 'done'
        ),
        0
    )
