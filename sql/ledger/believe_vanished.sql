-- Believes the last count: the next one, which is due now, takes what it found vanished for gone.
WITH leads AS (
    UPDATE crm.lead_count
    SET believed = vanished, counted_at = now() - interval '2 days'
    WHERE account_id = :account_id
)

UPDATE crm.source_count
SET believed = vanished, counted_at = now() - interval '2 days'
WHERE account_id = :account_id
