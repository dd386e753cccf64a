-- These rows of the source tell of no membership any more.
DELETE FROM crm.member_row
WHERE account_id = :account_id AND source_row = any(CAST(:source_rows AS text []))
