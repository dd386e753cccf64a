-- Keeps the org's stages; of opportunities in one that means something else by now, or has another
-- label, the ids are returned: they are told anew although nothing stamped them.
WITH told AS (
    SELECT *
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t (
        stage_id text, label text, is_closed boolean, is_won boolean
    )
),

before AS (
    SELECT s.*
    FROM crm.org_stage AS s
    INNER JOIN told AS t ON s.stage_id = t.stage_id
    WHERE
        s.account_id = :account_id
        AND (s.label, s.is_closed, s.is_won) IS DISTINCT FROM (t.label, t.is_closed, t.is_won)
),

noted AS (
    INSERT INTO crm.org_stage (account_id, stage_id, label, is_closed, is_won)
    SELECT :account_id, t.stage_id, t.label, t.is_closed, t.is_won
    FROM told AS t
    ON CONFLICT (account_id, stage_id) DO UPDATE
    SET label = excluded.label, is_closed = excluded.is_closed, is_won = excluded.is_won
)

SELECT o.opportunity_id
FROM crm.opportunity AS o
INNER JOIN before AS b ON o.stage = b.label
WHERE o.account_id = :account_id AND NOT o.deleted
