-- What points to some people: ids of a kind, and the platform's; those of another kind bear its name,
-- so that no two are the same.
SELECT
    person_key,
    CASE WHEN kind = :kind THEN value ELSE kind || ' ' || value END AS value,
    as_of
FROM crm.person_pointer
WHERE person_key = any(CAST(:person_keys AS bigint [])) AND kind IN (:kind, 'platform')
