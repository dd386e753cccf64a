-- How many records an account has made since its org was asked for how many it has room.
SELECT made_since_asked
FROM crm.sync_state
WHERE account_id = :account_id
