INSERT INTO crm.field_mapping (account_id, sobject, field, source, constant)
VALUES (:account_id, :sobject, :field, :source, :constant)
ON CONFLICT (account_id, sobject, field) DO UPDATE
SET source = excluded.source, constant = excluded.constant
