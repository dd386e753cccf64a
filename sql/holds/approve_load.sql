-- A person has approved that much is sent: no limit holds until that has been read and sent.
INSERT INTO crm.brake (account_id, load_approved)
VALUES (:account_id, true)
ON CONFLICT (account_id) DO UPDATE SET load_approved = true
