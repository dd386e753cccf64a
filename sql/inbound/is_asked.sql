-- Whether a request of the account waits whose time has come.
SELECT EXISTS (
    SELECT 1 FROM crm.request
    WHERE account_id = :account_id AND state = 'pending' AND next_attempt_at <= now()
)
