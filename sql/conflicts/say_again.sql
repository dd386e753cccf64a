-- Says again what is wanted of the people whose fields are to be as the source says, so that these are
-- written. People who wait to be sent are decided anew anyway.
WITH chosen AS (
    UPDATE crm.identity AS i
    SET sent = i.sent - named.fields
    FROM (
        SELECT c.person_key, array_agg(c.field) AS fields
        FROM crm.field_conflict AS c
        WHERE c.account_id = :account_id AND c.conflict_id = any(CAST(:conflict_ids AS bigint []))
        GROUP BY c.person_key
    ) AS named
    WHERE i.account_id = :account_id AND i.person_key = named.person_key
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
