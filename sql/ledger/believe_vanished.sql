-- What the last count found vanished is meant: the next one, which is due now, goes by it.
UPDATE crm.source_count
SET believed = vanished, counted_at = now() - interval '2 days'
WHERE account_id = :account_id
