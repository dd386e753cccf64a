-- Marks the fields of these people's versions as unknown where they say something else than what
-- was sent before: either may stand in the org, so whatever is wanted next is sent.
UPDATE crm.identity AS i
SET
    sent = i.sent - ARRAY(SELECT jsonb_object_keys(d.doubted)),
    doubted = d.doubted
FROM crm.operation AS o
CROSS JOIN LATERAL (
    SELECT
        coalesce(known.doubted, '{}')
        || coalesce(
            jsonb_object_agg(s.key, s.earlier || jsonb_build_array(s.value))
            FILTER (WHERE s.key IS NOT NULL),
            '{}'
        ) AS doubted
    FROM crm.identity AS known
    LEFT JOIN LATERAL (
        SELECT
            f.key,
            f.value,
            coalesce(known.doubted -> f.key, jsonb_build_array(known.sent -> f.key)) AS earlier
        FROM jsonb_each(o.intent -> known.sobject) AS f
    ) AS s ON NOT s.earlier @> jsonb_build_array(s.value)
    WHERE known.account_id = o.account_id AND known.person_key = o.person_key
    GROUP BY known.account_id, known.person_key
) AS d
WHERE
    o.operation_id = any(CAST(:operation_ids AS bigint []))
    AND o.kind = 'person'
    AND i.account_id = o.account_id
    AND i.person_key = o.person_key
