-- The last count of each of an account's sources, whether it is a day old, and of how many vanished
-- rows a person has said since that they are meant.
SELECT source, explained, believed, counted_at < now() - interval '1 day' AS is_old
FROM crm.source_count
WHERE account_id = :account_id
