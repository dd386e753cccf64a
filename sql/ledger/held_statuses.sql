-- The status words for which registrations are held, and whether nobody has said what they mean.
SELECT DISTINCT
    o.memory ->> 'status' AS status,
    o.memory ? 'unknown' AS is_unknown
FROM crm.operation AS o
WHERE o.account_id = :account_id AND o.state = 'rejected' AND o.memory ? 'status'
