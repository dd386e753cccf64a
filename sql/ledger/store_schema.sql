INSERT INTO crm.sobject_schema (account_id, sobject, schema)
VALUES (:account_id, :sobject, CAST(:schema AS jsonb))
ON CONFLICT (account_id, sobject) DO UPDATE
SET schema = excluded.schema, described_at = now()
