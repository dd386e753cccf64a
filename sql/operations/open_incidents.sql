-- Causes that hit many rows of an account and are not over.
SELECT code, subject, operations, message, first_seen, last_seen
FROM crm.incident
WHERE account_id = :account_id AND closed_at IS NULL
ORDER BY operations DESC, code
