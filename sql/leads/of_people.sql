-- All leads of some people, the first one first.
SELECT lead_id, happened_at, as_of, rejected_because, email, phone, address, person_key, columns
FROM crm.tracked_lead
WHERE account_id = :account_id AND person_key = any(CAST(:person_keys AS bigint []))
ORDER BY happened_at, lead_id
