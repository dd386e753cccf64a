-- The last daily count of each account: whether any row of the warehouse was not read (it was then),
-- or cannot be since its person, session or event is not there.
SELECT
    a.account_id,
    coalesce(sum(cardinality(c.again) + c.incomplete), 0) = 0 AS passed,
    coalesce(sum(c.rows), 0)::bigint AS rows_counted,
    coalesce(sum(cardinality(c.again)), 0)::bigint AS rows_found_unread,
    coalesce(sum(c.still_unread), 0)::bigint AS rows_still_unread,
    coalesce(sum(c.incomplete), 0)::bigint AS rows_without_person_session_or_event,
    coalesce(sum(c.vanished), 0)::bigint AS rows_vanished_from_the_warehouse,
    coalesce(extract(EPOCH FROM now() - min(c.counted_at)) / 3600, 0)::double precision
        AS hours_since_the_count
FROM crm.account AS a
LEFT JOIN crm.source_count AS c ON a.account_id = c.account_id
WHERE a.account_id = any(CAST(:account_ids AS text []))
GROUP BY a.account_id
