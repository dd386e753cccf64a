-- The keys that an account holds some records of its org for: people (person:<number>) and other
-- records.
SELECT i.salesforce_id, 'person:' || coalesce(p.successor, i.person_key) AS natural_key
FROM crm.identity AS i
LEFT JOIN crm.person AS p ON i.person_key = p.person_key
WHERE i.account_id = :account_id AND i.salesforce_id = any(CAST(:salesforce_ids AS text []))
UNION
SELECT r.salesforce_id, r.natural_key
FROM crm.record AS r
WHERE r.account_id = :account_id AND r.salesforce_id = any(CAST(:salesforce_ids AS text []))
ORDER BY salesforce_id, natural_key
