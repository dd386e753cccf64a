-- Activities of which nobody knows whether they were sent, nor with which values: those of one step of
-- the search, by their time, all of one time together.
SELECT
    o.operation_id,
    o.natural_key,
    o.intent ->> 'Subject' AS subject,
    o.intent ->> 'ActivityDateTime' AS happened_at,
    i.salesforce_id AS person_id
FROM crm.operation AS o
LEFT JOIN crm.identity AS i
    ON o.account_id = i.account_id AND o.person_key = i.person_key
WHERE
    o.account_id = :account_id
    AND o.kind = 'activity'
    AND o.state = 'in_flight'
    AND o.reason = any(CAST(:reasons AS text []))
ORDER BY o.intent ->> 'ActivityDateTime'
FETCH FIRST :limit ROWS WITH TIES
