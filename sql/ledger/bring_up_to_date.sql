-- Has activities that were found in the org, perhaps with other values, read there before they are sent:
-- what was found counts as a version of which nothing is known, and what is wanted as the next one.
WITH forgotten AS (
    UPDATE crm.operation AS o
    SET intent = '{}', person_key = NULL
    WHERE o.operation_id = any(CAST(:operation_ids AS bigint []))
)

INSERT INTO crm.operation (
    account_id, flow, kind, natural_key, version, person_key, as_of, content_hash, intent, memory
)
SELECT
    o.account_id,
    o.flow,
    o.kind,
    o.natural_key,
    o.version + 1,
    o.person_key,
    o.as_of,
    o.content_hash,
    o.intent,
    o.memory
FROM crm.operation AS o
WHERE
    o.operation_id = any(CAST(:operation_ids AS bigint []))
    AND NOT EXISTS (
        SELECT FROM crm.operation AS newer
        WHERE
            newer.account_id = o.account_id
            AND newer.natural_key = o.natural_key
            AND newer.version > o.version
    )
