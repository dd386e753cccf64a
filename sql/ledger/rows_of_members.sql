SELECT source, again
FROM crm.source_count
WHERE account_id = :account_id AND members_read_at IS NULL AND again <> '{}'
