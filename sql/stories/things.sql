-- What is there of some people, addresses, records and things beside their own operations, by
-- natural keys: prospects, what refers to a prospect or stands at a record, and values of leads.
WITH addresses AS (
    SELECT a.address FROM unnest(CAST(:addresses AS text [])) AS a (address)
    UNION
    SELECT p.address FROM crm.person AS p
    WHERE p.account_id = :account_id AND p.person_key = any(CAST(:person_keys AS bigint []))
),

record_ids AS (
    SELECT r.record_id FROM unnest(CAST(:record_ids AS text [])) AS r (record_id)
    UNION
    SELECT i.salesforce_id FROM crm.identity AS i
    WHERE i.account_id = :account_id AND i.person_key = any(CAST(:person_keys AS bigint []))
    UNION
    SELECT e.salesforce_id FROM crm.engagement_person AS e
    WHERE e.account_id = :account_id AND e.email IN (SELECT address FROM addresses)
),

roots AS (
    SELECT k.natural_key FROM unnest(CAST(:natural_keys AS text [])) AS k (natural_key)
    UNION
    SELECT 'prospect:' || p.prospect_id FROM crm.prospect AS p
    WHERE p.account_id = :account_id AND p.email IN (SELECT address FROM addresses)
    UNION
    SELECT 'engaged:' || record_id FROM record_ids
    UNION
    SELECT 'told:engaged_people:' || record_id FROM record_ids
)

SELECT natural_key FROM roots
UNION
SELECT r.natural_key
FROM crm.record AS r
WHERE
    r.account_id = :account_id
    AND r.ref_keys && ARRAY(
        SELECT natural_key FROM roots
        UNION
        SELECT 'id:' || record_id FROM record_ids
        UNION
        SELECT 'person:' || k FROM unnest(CAST(:person_keys AS bigint [])) AS k
    )
UNION
SELECT 'told:lead_values:lead:' || m.lead_id || ':opportunity:' || m.opportunity_id
FROM crm.opportunity_match AS m
WHERE
    m.account_id = :account_id
    AND (
        m.lead_id IN (
            SELECT t.lead_id FROM crm.tracked_lead AS t
            WHERE
                t.account_id = :account_id
                AND t.person_key = any(CAST(:person_keys AS bigint []))
        )
        OR 'opportunity:' || m.opportunity_id IN (SELECT natural_key FROM roots)
    )
