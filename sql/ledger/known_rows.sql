-- Those of these natural keys that are known, as of when, and whether they had vanished from the
-- source.
SELECT
    latest.natural_key,
    latest.as_of,
    coalesce(latest.memory ? 'vanished', false) AS vanished
FROM unnest(CAST(:natural_keys AS text [])) AS k (natural_key)
CROSS JOIN LATERAL (
    SELECT
        o.natural_key,
        o.as_of,
        o.memory
    FROM crm.operation AS o
    WHERE o.account_id = :account_id AND o.natural_key = k.natural_key
    ORDER BY o.version DESC
    LIMIT 1
) AS latest
