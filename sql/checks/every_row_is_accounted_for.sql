-- The last finished cycle: rows read = known + new, new ones = rejected + parts of other
-- attendances + intended, and each intended
-- activity is delivered, waits in the queue, was replaced by a newer version, left out with its person
-- or dropped by an operator.
WITH last_cycle AS (
    SELECT DISTINCT ON (c.account_id)
        c.account_id,
        c.cycle_id,
        coalesce((t.topics #>> '{registrations,rows}')::bigint, 0)
        + coalesce((t.topics #>> '{attendances,rows}')::bigint, 0) AS new,
        coalesce((t.topics #>> '{filtered_leads,rows_read}')::bigint, 0) AS rows_read,
        coalesce((t.topics #>> '{filtered_leads,rejected}')::bigint, 0) AS rejected,
        coalesce((t.topics #>> '{filtered_leads,part_of_another}')::bigint, 0) AS parts,
        coalesce((t.topics #>> '{filtered_leads,known_already}')::bigint, 0) AS known,
        coalesce((t.topics #>> '{lead_payloads,activities_new}')::bigint, 0)
        + coalesce((t.topics #>> '{lead_payloads,activities_changed}')::bigint, 0) AS intended
    FROM crm.cycle AS c
    CROSS JOIN LATERAL (SELECT c.counts -> 'topics' AS topics) AS t
    WHERE
        c.account_id = any(CAST(:account_ids AS text []))
        AND c.state <> 'Processing'
        AND c.counts ? 'topics'
    ORDER BY c.account_id, c.cycle_id DESC
)

SELECT
    l.account_id,
    l.rows_read = l.known + l.new
    AND l.new = l.rejected + l.parts + l.intended
    AND l.intended = found.operations AS passed,
    l.rows_read,
    l.known,
    l.new,
    l.rejected,
    l.parts,
    l.intended,
    found.delivered,
    found.queued,
    found.replaced,
    found.left_out,
    found.dropped
FROM last_cycle AS l
CROSS JOIN LATERAL (
    SELECT
        count(*) AS operations,
        count(*) FILTER (WHERE o.state = 'done') AS delivered,
        count(*) FILTER (
            WHERE o.state IN ('pending', 'held', 'in_flight', 'failed', 'exhausted')
        ) AS queued,
        count(*) FILTER (WHERE o.state = 'superseded') AS replaced,
        count(*) FILTER (WHERE o.state = 'left_out') AS left_out,
        count(*) FILTER (WHERE o.state = 'dropped') AS dropped
    FROM crm.operation AS o
    WHERE o.read_by = l.cycle_id AND o.kind = 'activity' AND o.state <> 'rejected'
) AS found
