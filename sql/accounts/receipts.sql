-- What Salesforce asked of an account, and what was done about each.
SELECT request_id, kind, door, received_at, state, finished_at, receipt, problem
FROM crm.request
WHERE account_id = :account_id
ORDER BY seq
