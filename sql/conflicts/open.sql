-- Fields about which a person is to decide, the oldest first; of one account or of all.
SELECT
    c.conflict_id,
    c.account_id,
    p.address,
    c.sobject,
    c.salesforce_id,
    c.field,
    c.there #>> '{}' AS there,
    c.wanted #>> '{}' AS wanted,
    c.seen_at
FROM crm.field_conflict AS c
INNER JOIN crm.person AS p ON c.person_key = p.person_key
WHERE
    c.decided IS NULL
    AND p.address IS NOT NULL
    AND (CAST(:account_id AS text) IS NULL OR c.account_id = :account_id)
    AND (CAST(:field AS text) IS NULL OR lower(c.field) = lower(CAST(:field AS text)))
ORDER BY c.conflict_id
