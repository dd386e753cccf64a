INSERT INTO crm.brake (account_id, load_approved)
SELECT CAST(:account_id AS text), false
WHERE NOT EXISTS (
    SELECT FROM crm.brake AS b WHERE b.account_id = :account_id AND NOT b.load_approved
)
ON CONFLICT (account_id) DO UPDATE SET load_approved = false
