-- Activities that wait for people who never come.
INSERT INTO crm.operation (
    account_id, flow, kind, natural_key, version, as_of, content_hash, intent, state
)
SELECT %(account)s, 'webinars', 'activity', 'registration:' || n, 1, now(), '', '{}', 'pending'
FROM generate_series(1, %(operations)s::bigint) AS n
