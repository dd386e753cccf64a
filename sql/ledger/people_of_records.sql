-- The person for whom each of these records stands, with what was sent there last and what is wanted now;
-- of several people the one of whom something was said last.
SELECT DISTINCT ON (i.salesforce_id)
    i.person_key,
    i.sobject,
    i.salesforce_id,
    coalesce(i.sent, '{}') AS sent,
    coalesce(l.intent -> i.sobject, '{}') AS wanted
FROM crm.identity AS i
LEFT JOIN crm.latest_version AS l
    ON i.account_id = l.account_id AND l.natural_key = 'person:' || i.person_key
WHERE
    i.account_id = :account_id
    AND i.salesforce_id = any(CAST(:salesforce_ids AS text []))
    -- What is taken back is no question.
    AND NOT EXISTS (
        SELECT FROM crm.operation AS u
        WHERE
            u.account_id = :account_id
            AND u.kind = 'undo'
            AND u.state IN ('pending', 'held', 'in_flight', 'failed', 'done')
            AND u.action IS DISTINCT FROM 'none'
            AND u.intent ->> 'id' = i.salesforce_id
    )
ORDER BY i.salesforce_id, i.as_of DESC, i.person_key DESC
