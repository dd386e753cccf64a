-- Counts what would be looked up and sent if all that an account delivered were to be delivered
-- anew.
SELECT
    count(*) FILTER (WHERE o.kind = 'person') AS people,
    count(*) FILTER (WHERE o.kind = 'activity') AS activities,
    count(*) FILTER (WHERE o.kind = 'campaign') AS campaigns,
    count(*) FILTER (WHERE o.kind = 'member') AS members,
    count(*) FILTER (WHERE o.kind = 'record' AND o.intent ->> 'fields' IS NOT NULL) AS records
FROM crm.operation AS o
WHERE
    o.account_id = :account_id
    AND NOT o.gone
    AND o.state IN ('pending', 'in_flight', 'done', 'failed', 'exhausted', 'left_out')
    AND NOT EXISTS (
        SELECT FROM crm.operation AS newer
        WHERE
            newer.account_id = o.account_id
            AND newer.natural_key = o.natural_key
            AND newer.version > o.version
    )
