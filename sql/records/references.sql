-- The records that stand for natural keys and for people (`person:<number>`), where any does. The
-- successor of an absorbed person is meant where that one is named.
SELECT r.natural_key AS key, r.salesforce_id, r.sobject
FROM crm.record AS r
WHERE r.account_id = :account_id AND r.natural_key = any(CAST(:natural_keys AS text []))
UNION ALL
SELECT 'person:' || p.person_key AS key, i.salesforce_id, i.sobject
FROM crm.person AS p
INNER JOIN crm.identity AS i
    ON p.account_id = i.account_id AND coalesce(p.successor, p.person_key) = i.person_key
WHERE p.account_id = :account_id AND p.person_key = any(CAST(:person_keys AS bigint []))
