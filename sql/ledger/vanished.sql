SELECT source, vanished, counted_at
FROM crm.source_count
WHERE account_id = :account_id AND vanished > 0
ORDER BY source DESC
