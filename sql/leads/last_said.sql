-- As of when the latest version of what is wanted of some people is, and which of some fields it names.
SELECT
    p.person_key,
    latest.as_of,
    ARRAY(
        SELECT f.field
        FROM unnest(CAST(:fields AS text [])) AS f (field)
        WHERE latest.intent -> 'Lead' ? f.field
    ) AS fields
FROM crm.person AS p
CROSS JOIN LATERAL (
    SELECT o.as_of, o.intent
    FROM crm.operation AS o
    WHERE o.account_id = :account_id AND o.natural_key = 'person:' || p.person_key
    ORDER BY o.version DESC
    LIMIT 1
) AS latest
WHERE
    p.account_id = :account_id
    AND p.person_key = any(CAST(:person_keys AS bigint []))
    AND p.address IS NOT NULL
