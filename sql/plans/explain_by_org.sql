-- Explains departures by records that others changed, or that are gone.
UPDATE crm.plan_departure
SET explanation = 'org'
WHERE
    plan_id = :plan_id
    AND explanation IS NULL
    AND salesforce_ids && CAST(:salesforce_ids AS text [])
