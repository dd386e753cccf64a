-- Believes the last count: the next one, which is due now, deletes the rows that it found vanished.
UPDATE crm.source_count
SET believed = vanished, counted_at = now() - interval '2 days'
WHERE account_id = :account_id
