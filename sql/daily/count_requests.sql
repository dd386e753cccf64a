-- Counts the requests of each day anew, of one account or of all (NULL): an old one may be done today.
INSERT INTO daily.request AS n (
    account_id, day, kind, door, received, done, failed, seconds, longest_seconds, counted_at
)
SELECT
    r.account_id,
    daily.of(r.received_at) AS day,
    r.kind,
    r.door,
    count(*),
    count(*) FILTER (WHERE r.state = 'done'),
    count(*) FILTER (WHERE r.state = 'failed'),
    coalesce(sum(greatest(extract(EPOCH FROM r.finished_at - r.received_at), 0)), 0),
    coalesce(max(greatest(extract(EPOCH FROM r.finished_at - r.received_at), 0)), 0),
    now()
FROM crm.request AS r
WHERE CAST(:account_id AS text) IS NULL OR r.account_id = :account_id
GROUP BY r.account_id, daily.of(r.received_at), r.kind, r.door
ORDER BY day, r.account_id, r.kind, r.door
ON CONFLICT (account_id, day, kind, door) DO UPDATE
SET
    received = excluded.received,
    done = excluded.done,
    failed = excluded.failed,
    seconds = excluded.seconds,
    longest_seconds = excluded.longest_seconds,
    counted_at = excluded.counted_at
WHERE (n.received, n.done, n.failed) <> (excluded.received, excluded.done, excluded.failed)
