-- How many pending records of some topics are to be made; events take no room.
SELECT count(*) AS number
FROM crm.operation AS o
WHERE
    o.account_id = :account_id
    AND o.kind = 'record'
    AND o.state = 'pending'
    AND o.intent ->> 'topic' = any(CAST(:topics AS text []))
    AND o.intent ->> 'fields' IS NOT NULL
    AND o.intent ->> 'key' IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM crm.record AS r
        WHERE r.account_id = o.account_id AND r.natural_key = o.natural_key
        -- One by one: the planner would read all records that the account has.
        OFFSET 0
    )
