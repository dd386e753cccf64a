SELECT sobject, field, source, constant, rules
FROM crm.field_mapping
WHERE account_id = :account_id
ORDER BY sobject, field
