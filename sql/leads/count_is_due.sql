-- Whether an account's tracked leads were not counted for a day.
SELECT NOT EXISTS (
    SELECT FROM crm.lead_count AS c
    WHERE c.account_id = :account_id AND c.counted_at >= now() - interval '1 day'
) AS is_due
