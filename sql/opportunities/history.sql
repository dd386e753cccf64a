-- The history of some opportunities.
SELECT opportunity_id, history_id, at, stage, probability, forecast_category
FROM crm.opportunity_stage
WHERE account_id = :account_id AND opportunity_id = any(CAST(:opportunity_ids AS text []))
ORDER BY opportunity_id
