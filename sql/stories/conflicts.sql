-- The fields of some people that the source and people in the org had changed.
SELECT sobject, salesforce_id, field, there, wanted, decided, seen_at
FROM crm.field_conflict
WHERE account_id = :account_id AND person_key = any(CAST(:person_keys AS bigint []))
ORDER BY conflict_id
