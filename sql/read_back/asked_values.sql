-- Values asked of some records since they were last known to be done: they may stand in the org. An
-- event is done once the record shows what it is to bring about.
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
                AND NOT EXISTS (
                    SELECT FROM crm.record AS r
                    WHERE
                        r.account_id = d.account_id
                        AND r.natural_key = d.natural_key
                        AND r.awaits_version = d.version
                )
        ),
        0
    )
