-- Activities of some people of which nobody knows whether they were sent: what they are told by.
SELECT
    o.person_key,
    o.intent ->> 'Subject' AS subject,
    o.intent ->> 'ActivityDateTime' AS happened_at
FROM crm.operation AS o
WHERE
    o.account_id = :account_id
    AND o.person_key = any(CAST(:person_keys AS bigint []))
    AND o.kind = 'activity'
    AND o.state = 'in_flight'
    AND o.reason = 'adopted'
