-- The last count of each of an account's sources, and whether it is a day old.
SELECT source, explained, counted_at < now() - interval '1 day' AS is_old
FROM crm.source_count
WHERE account_id = :account_id
