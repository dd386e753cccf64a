-- The sources of which the last count found something vanished.
SELECT source, vanished, counted_at
FROM crm.source_count
WHERE account_id = :account_id AND vanished > 0
UNION ALL
SELECT 'tracked leads' AS source, vanished, counted_at
FROM crm.lead_count
WHERE account_id = :account_id AND vanished > 0
ORDER BY source DESC
