-- The last count of an account's tracked leads, and whether it is a day old.
SELECT
    c.vanished,
    c.believed,
    c.counted_at < now() - interval '1 day' AS is_old
FROM crm.lead_count AS c
WHERE c.account_id = :account_id
