SELECT request_id, received_at, content
FROM crm.request
WHERE account_id = :account_id AND sameness = :sameness
