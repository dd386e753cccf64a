-- Takes these fields of people who are in the org as not written, so that whatever is wanted is sent,
-- also nothing, and says again what is wanted of these people: the account's policy decides anew.
-- People who wait to be sent are decided anew anyway.
WITH chosen AS (
    UPDATE crm.identity AS i
    SET
        sent = i.sent - CAST(:fields AS text []),
        doubted = coalesce(i.doubted, '{}') || (
            SELECT jsonb_object_agg(f.field, '[]'::jsonb)
            FROM unnest(CAST(:fields AS text [])) AS f (field)
            WHERE i.sent ? f.field
        )
    WHERE i.account_id = :account_id AND i.sent ?| CAST(:fields AS text [])
    RETURNING i.person_key
)

INSERT INTO crm.operation (
    account_id, flow, kind, natural_key, version, person_key, as_of, content_hash, intent, memory
)
SELECT
    :account_id,
    latest.flow,
    latest.kind,
    latest.natural_key,
    latest.version + 1,
    latest.person_key,
    latest.as_of,
    latest.content_hash,
    latest.intent,
    latest.memory
FROM chosen AS c
CROSS JOIN LATERAL (
    SELECT o.*
    FROM crm.operation AS o
    WHERE o.account_id = :account_id AND o.natural_key = 'person:' || c.person_key
    ORDER BY o.version DESC
    LIMIT 1
) AS latest
WHERE latest.state = 'done'
