-- Records that were merged into others: those stand for what the account holds from now on.
WITH merged AS (
    SELECT *
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS m (loser text, winner text)
),

people AS (
    UPDATE crm.identity AS i
    SET salesforce_id = m.winner, reason = 'merged from ' || m.loser, seen_at = now()
    FROM merged AS m
    WHERE i.account_id = :account_id AND i.salesforce_id = m.loser
)

UPDATE crm.record AS r
SET salesforce_id = m.winner, last = '{}', ref_fields = '{}', ref_keys = '{}', ref_ids = '{}', moved = true
FROM merged AS m
WHERE r.account_id = :account_id AND r.salesforce_id = m.loser
