-- Counts the records that a cycle has made; from there, where it has asked for how many there is room.
UPDATE crm.sync_state
SET made_since_asked = CASE WHEN :asked THEN 0 ELSE made_since_asked END + :made
WHERE account_id = :account_id
