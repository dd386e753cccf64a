-- Published events of some topics whose records did not show yet what they are to bring about; late
-- are those that were published :minutes ago.
SELECT
    o.operation_id,
    o.intent ->> 'topic' AS topic,
    o.sobject AS event,
    r.sobject,
    r.salesforce_id,
    o.intent -> 'about' -> 'shown' AS shown,
    coalesce(o.sent, o.intent -> 'fields') AS fields,
    o.finished_at <= clock_timestamp() - make_interval(mins => :minutes) AS is_late
FROM crm.record AS r
INNER JOIN crm.operation AS o
    ON r.account_id = o.account_id AND r.natural_key = o.natural_key AND r.awaits_version = o.version
WHERE
    r.account_id = :account_id
    AND r.topic = any(CAST(:topics AS text []))
    AND r.awaits_version IS NOT NULL
    AND o.state = 'done'
ORDER BY o.finished_at
LIMIT :limit
