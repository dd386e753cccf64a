-- The latest versions of what is wanted of some people: of all, or of those of whom another flow wants
-- something.
SELECT k.natural_key, latest.flow, latest.as_of, latest.intent, latest.memory
FROM unnest(CAST(:natural_keys AS text [])) AS k (natural_key)
CROSS JOIN LATERAL (
    SELECT o.flow, o.as_of, o.intent, o.memory
    FROM crm.operation AS o
    WHERE o.account_id = :account_id AND o.natural_key = k.natural_key
    ORDER BY o.version DESC
    LIMIT 1
) AS latest
WHERE :all OR latest.flow <> :flow OR latest.intent ? 'parts'
