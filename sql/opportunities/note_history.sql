-- Keeps rows of history; returns the opportunities that have ones that were not known.
INSERT INTO crm.opportunity_stage AS s (
    account_id, history_id, opportunity_id, at, stage, probability, forecast_category
)
SELECT
    :account_id, t.history_id, t.opportunity_id, t.at, t.stage, t.probability, t.forecast_category
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t (
    history_id text,
    opportunity_id text,
    at timestamptz,
    stage text,
    probability double precision,
    forecast_category text
)
INNER JOIN crm.opportunity AS o
    ON o.account_id = :account_id AND t.opportunity_id = o.opportunity_id
ON CONFLICT (account_id, history_id) DO UPDATE
SET
    opportunity_id = excluded.opportunity_id,
    at = excluded.at,
    stage = excluded.stage,
    probability = excluded.probability,
    forecast_category = excluded.forecast_category
WHERE
    (s.opportunity_id, s.at, s.stage, s.probability, s.forecast_category)
    IS DISTINCT FROM
    (
        excluded.opportunity_id, excluded.at, excluded.stage, excluded.probability,
        excluded.forecast_category
    )
RETURNING s.opportunity_id
