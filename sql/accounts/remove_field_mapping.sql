DELETE FROM crm.field_mapping
WHERE account_id = :account_id AND sobject = :sobject AND field = :field
RETURNING field
