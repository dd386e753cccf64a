INSERT INTO crm.incident AS i (account_id, code, subject, message, operations)
VALUES (:account_id, :code, :subject, left(:message, 500), :operations)
ON CONFLICT (account_id, code, subject) WHERE closed_at IS NULL DO UPDATE
SET
    operations = greatest(i.operations, excluded.operations),
    message = excluded.message,
    last_seen = now()
