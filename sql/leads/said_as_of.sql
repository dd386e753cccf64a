-- As of when the latest version of what is wanted of some people is.
SELECT k.person_key, latest.as_of
FROM unnest(CAST(:person_keys AS bigint [])) AS k (person_key)
CROSS JOIN LATERAL (
    SELECT o.as_of
    FROM crm.operation AS o
    WHERE o.account_id = :account_id AND o.natural_key = 'person:' || k.person_key
    ORDER BY o.version DESC
    LIMIT 1
) AS latest
