-- An account's position in its client: read until when (NULL: never), what is in the org, and what
-- was not sent.
SELECT
    (
        SELECT max(p.watermark)
        FROM crm.source_position AS p
        WHERE p.account_id = :account_id
    ) AS read_until,
    count(*) FILTER (WHERE o.state = 'done') AS done,
    count(*) FILTER (WHERE o.state IN ('pending', 'failed', 'exhausted')) AS unsent
FROM crm.operation AS o
WHERE o.account_id = :account_id
