-- Whom a record stands for, and what of the account it is, by its Id of 18 characters.
SELECT
    person_key,
    NULL AS natural_key
FROM crm.identity
WHERE
    account_id = :account_id
    -- Of a record that was converted or merged, the reason of its successor tells.
    AND (salesforce_id = :record_id OR reason LIKE '%' || :record_id)
UNION
SELECT
    person_key,
    NULL AS natural_key
FROM crm.operation
WHERE account_id = :account_id AND kind = 'person' AND salesforce_id = :record_id
UNION
SELECT
    person_key,
    natural_key
FROM crm.operation
WHERE account_id = :account_id AND kind = 'activity' AND salesforce_id = :record_id
UNION
SELECT
    NULL AS person_key,
    natural_key
FROM crm.record
WHERE account_id = :account_id AND salesforce_id = :record_id
UNION
SELECT
    person_key,
    'member:' || campaign_key || ':' || person_key AS natural_key
FROM crm.campaign_member
WHERE account_id = :account_id AND member_id = :record_id
UNION
SELECT
    NULL AS person_key,
    'campaign:' || campaign_key AS natural_key
FROM crm.event_campaign
WHERE account_id = :account_id AND campaign_id = :record_id
UNION
SELECT
    NULL AS person_key,
    'opportunity:' || opportunity_id AS natural_key
FROM crm.opportunity
WHERE account_id = :account_id AND opportunity_id = :record_id
