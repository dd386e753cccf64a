-- Marks the fields of these people's versions as unknown where they say something else than what
-- was sent before: either may stand in the org, so whatever is wanted next is sent.
UPDATE crm.identity AS i
SET
    sent = coalesce(
        (
            SELECT jsonb_object_agg(s.key, s.value)
            FROM jsonb_each(i.sent) AS s
            WHERE coalesce(o.intent -> i.sobject -> s.key, s.value) = s.value
        ),
        '{}'
    )
FROM crm.operation AS o
WHERE
    o.operation_id = any(CAST(:operation_ids AS bigint []))
    AND o.kind = 'person'
    AND i.account_id = o.account_id
    AND i.person_key = o.person_key
