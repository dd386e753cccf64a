INSERT INTO crm.account_clock AS c (account_id, said_at)
VALUES (:account_id, clock_timestamp())
ON CONFLICT (account_id) DO UPDATE
SET said_at = greatest(c.said_at, excluded.said_at)
RETURNING said_at
