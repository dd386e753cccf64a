-- The children of some parents as last wanted, of those that are not to be gone already.
--
-- Parameters, arrays of equal length: parents, topics.
SELECT latest.natural_key, latest.intent, latest.as_of
FROM unnest(CAST(:parents AS text []), CAST(:topics AS text [])) AS p (parent, topic)
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (o.natural_key) o.natural_key, o.intent, o.as_of
    FROM crm.operation AS o
    WHERE
        o.account_id = :account_id
        AND o.kind = 'record'
        AND o.intent ->> 'parent' = p.parent
        AND o.intent ->> 'topic' = p.topic
    ORDER BY o.natural_key ASC, o.version DESC
) AS latest
WHERE latest.intent ->> 'fields' IS NOT NULL
