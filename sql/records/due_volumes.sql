-- Counts the pending records, by topic and whether they are to be gone.
SELECT
    o.intent ->> 'topic' AS topic,
    o.intent ->> 'sobject' AS sobject,
    o.intent ->> 'fields' IS NULL AS absent,
    count(*) AS number
FROM crm.operation AS o
WHERE o.account_id = :account_id AND o.kind = 'record' AND o.state = 'pending'
GROUP BY 1, 2, 3
