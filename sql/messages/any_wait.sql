SELECT EXISTS (
    SELECT FROM crm.operation
    WHERE account_id = :account_id AND kind = 'message' AND state = 'pending'
)
