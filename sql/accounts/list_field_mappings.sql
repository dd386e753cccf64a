SELECT sobject, field, source, constant
FROM crm.field_mapping
WHERE account_id = :account_id
ORDER BY sobject, field
