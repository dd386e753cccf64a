-- What is to be sent and was not held to the account's limits yet, by kind.
SELECT
    o.kind,
    count(*) FILTER (WHERE o.kind = 'person' AND i.person_key IS NULL) AS new_people,
    count(*) FILTER (WHERE o.kind = 'person' AND i.person_key IS NOT NULL) AS known_people,
    count(*) FILTER (
        WHERE CASE WHEN o.kind = 'record' THEN o.intent ->> 'fields' IS NULL ELSE o.gone END
    ) AS deletions,
    max(o.operation_id) AS last_operation,
    min(o.read_by) AS first_cycle
FROM crm.operation AS o
LEFT JOIN crm.identity AS i
    ON o.kind = 'person' AND o.account_id = i.account_id AND o.person_key = i.person_key
WHERE
    o.account_id = :account_id
    AND o.kind IN ('person', 'activity', 'campaign', 'member', 'record')
    AND o.state = 'pending'
    AND o.operation_id > :after
GROUP BY o.kind
