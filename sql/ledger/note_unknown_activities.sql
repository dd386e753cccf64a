-- Keeps activities of the org that no operation has made, as far as an older copy knows.
INSERT INTO crm.unknown_activity AS u (account_id, salesforce_id, subject, happened_at, is_deleted)
SELECT :account_id, r."Id", r."Subject", r."ActivityDateTime", r."IsDeleted"
FROM jsonb_to_recordset(CAST(:records AS jsonb)) AS r (
    "Id" text, "Subject" text, "ActivityDateTime" text, "IsDeleted" boolean
)
ON CONFLICT (account_id, salesforce_id) DO UPDATE
SET
    subject = excluded.subject,
    happened_at = excluded.happened_at,
    is_deleted = excluded.is_deleted
