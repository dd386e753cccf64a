-- What a natural key names, and whom it is about.
SELECT DISTINCT
    person_key,
    natural_key
FROM crm.operation
WHERE account_id = :account_id AND natural_key = :natural_key
UNION
SELECT
    person_key,
    NULL AS natural_key
FROM crm.tracked_lead
WHERE account_id = :account_id AND 'lead:' || lead_id = :natural_key
UNION
SELECT
    NULL AS person_key,
    :natural_key AS natural_key
FROM crm.opportunity
WHERE account_id = :account_id AND 'opportunity:' || opportunity_id = :natural_key
