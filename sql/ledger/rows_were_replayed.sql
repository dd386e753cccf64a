-- A flow has recorded what all rows of these sources say that it was to read again.
DELETE FROM crm.replay_row
WHERE account_id = :account_id AND flow = :flow AND source = any(CAST(:sources AS text []))
