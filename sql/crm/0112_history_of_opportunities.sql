-- The history of an opportunity is read with it as a whole, and so it stands there: its rows were four
-- times as many as opportunities.

ALTER TABLE crm.opportunity ADD COLUMN history jsonb NOT NULL DEFAULT '[]';

UPDATE crm.opportunity AS o
SET history = h.history
FROM (
    SELECT
        s.account_id,
        s.opportunity_id,
        jsonb_agg(
            jsonb_build_object(
                'Id', s.history_id,
                'CreatedDate', to_char(s.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"+0000"'),
                'StageName', s.stage,
                'Probability', s.probability,
                'ForecastCategory', s.forecast_category
            )
            ORDER BY s.at, s.history_id
        ) AS history
    FROM crm.opportunity_stage AS s
    GROUP BY s.account_id, s.opportunity_id
) AS h
WHERE o.account_id = h.account_id AND o.opportunity_id = h.opportunity_id;

DROP TABLE crm.opportunity_stage;

COMMENT ON COLUMN crm.opportunity.history
IS 'Its rows of OpportunityHistory, oldest first: also of changes of amount, probability or close date
   alone.';
