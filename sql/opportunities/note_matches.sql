-- Keeps to which leads some opportunities belong now; those to which they do no more are withdrawn.
WITH found AS (
    SELECT *
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS f (
        opportunity_id text,
        lead_id text,
        rule text,
        because text,
        number smallint,
        parts smallint,
        matched_at timestamptz
    )
),

-- Materialized: of an empty table the planner would have what is added here read again for each row.
known AS MATERIALIZED (
    SELECT m.opportunity_id, m.lead_id
    FROM crm.opportunity_match AS m
    WHERE
        m.account_id = :account_id
        AND m.opportunity_id = any(CAST(:opportunity_ids AS text []))
),

withdrawn AS (
    UPDATE crm.opportunity_match AS m
    SET withdrawn = true, matched_at = now()
    WHERE
        m.account_id = :account_id
        AND m.opportunity_id = any(CAST(:opportunity_ids AS text []))
        AND NOT m.withdrawn
        AND NOT EXISTS (
            SELECT FROM found AS f
            WHERE f.opportunity_id = m.opportunity_id AND f.lead_id = m.lead_id
        )
),

changed AS (
    UPDATE crm.opportunity_match AS m
    SET
        rule = f.rule,
        because = f.because,
        number = f.number,
        parts = f.parts,
        matched_at = f.matched_at,
        withdrawn = false
    FROM found AS f
    WHERE
        m.account_id = :account_id
        AND m.opportunity_id = f.opportunity_id
        AND m.lead_id = f.lead_id
        AND (
            m.withdrawn
            OR (m.rule, m.because, m.number, m.parts)
            IS DISTINCT FROM (f.rule, f.because, f.number, f.parts)
        )
)

INSERT INTO crm.opportunity_match (
    account_id, opportunity_id, lead_id, rule, because, number, parts, matched_at
)
SELECT
    :account_id, f.opportunity_id, f.lead_id, f.rule, f.because, f.number, f.parts, f.matched_at
FROM found AS f
WHERE
    NOT EXISTS (
        SELECT FROM known AS k
        WHERE k.opportunity_id = f.opportunity_id AND k.lead_id = f.lead_id
    )
