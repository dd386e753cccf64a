-- People of whom it is not decided yet which record gets what, oldest first, with the record
-- that is known to stand for each, or stood for the address that the person had before.
SELECT
    o.operation_id,
    o.natural_key,
    o.person_key,
    o.as_of,
    o.intent,
    o.sent_at,
    i.sobject,
    i.salesforce_id,
    i.reason AS identity_reason,
    i.sent AS last_sent,
    i.as_of AS last_as_of,
    former.sobject AS former_sobject,
    former.salesforce_id AS former_salesforce_id,
    former.sent AS former_sent
FROM crm.operation AS o
LEFT JOIN crm.identity AS i
    ON o.account_id = i.account_id AND o.person_key = i.person_key
LEFT JOIN crm.former_email AS f
    ON o.account_id = f.account_id AND o.person_key = f.person_key AND i.person_key IS NULL
LEFT JOIN crm.identity AS former
    ON f.account_id = former.account_id AND f.former_key = former.person_key
WHERE
    o.account_id = :account_id
    AND o.kind = 'person'
    AND o.state = 'pending'
    AND o.action IS DISTINCT FROM 'update'
    AND o.operation_id > :after
    -- By the unique key: without statistics the planner would scan all that is open instead.
    AND NOT (
        o.version > 1
        AND 'in_flight' IN (
            SELECT f.state
            FROM crm.operation AS f
            WHERE f.account_id = o.account_id AND f.natural_key = o.natural_key
            OFFSET 0
        )
    )
ORDER BY o.operation_id
LIMIT :limit
