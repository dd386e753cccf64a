-- Sent, and the answer never came; long enough ago that Salesforce has finished with it.
SELECT
    o.operation_id,
    o.kind,
    o.natural_key,
    o.person_key,
    o.sobject,
    o.action,
    o.salesforce_id,
    o.intent,
    o.sent_at,
    coalesce(o.reason = 'adopted', false) AS is_adopted,
    i.sobject AS person_sobject,
    coalesce(o.sent ->> 'WhoId', i.salesforce_id) AS person_id
FROM crm.operation AS o
LEFT JOIN crm.identity AS i
    ON o.account_id = i.account_id AND o.person_key = i.person_key
WHERE
    o.account_id = :account_id
    AND o.state = 'in_flight'
    -- Those are sought by themselves (adopted_activities).
    AND coalesce(o.reason, '') NOT IN ('adopted, changed', 'adopted, moved')
    -- An activity is sought under its person: it waits until that is known.
    AND (
        o.kind <> 'activity'
        OR o.action <> 'create'
        OR i.salesforce_id IS NOT NULL
        OR coalesce(o.sent, '{}') ? 'WhoId'
    )
    AND o.sent_at <= clock_timestamp() - make_interval(secs => :grace_seconds)
ORDER BY o.operation_id
LIMIT :limit
