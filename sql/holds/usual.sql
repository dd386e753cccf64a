-- What is usual of an account: its known people, and its cycles of the 30 days before it was Complete
-- last. Days count from its activation, and since a cycle was Complete, or has read something and was not
-- held, whatever else failed in it: at least one.
WITH anchor AS (
    SELECT
        s.complete_at,
        coalesce(s.complete_at, now()) AS at,
        greatest(
            least(extract(EPOCH FROM coalesce(s.complete_at, now()) - a.activated_at) / 86400, 30), 1
        )::double precision AS days
    FROM crm.account AS a
    LEFT JOIN crm.sync_state AS s ON a.account_id = s.account_id
    WHERE a.account_id = :account_id
),

cycles AS (
    SELECT
        c.started_at,
        c.state,
        max((c.counts ->> 'new_people')::bigint) AS new_people,
        sum(
            coalesce((t.value ->> 'leads_created')::bigint, 0)
            + coalesce((t.value ->> 'contacts_created')::bigint, 0)
        ) AS created,
        sum(
            coalesce((t.value ->> 'rows_read')::bigint, 0)
            - coalesce((t.value ->> 'known_already')::bigint, 0)
        ) FILTER (WHERE t.value ? 'rows_read') AS row_count,
        sum((t.value ->> 'rejected')::bigint) FILTER (WHERE t.value ? 'rows_read') AS rejected
    FROM crm.cycle AS c
    CROSS JOIN anchor AS a
    LEFT JOIN LATERAL jsonb_each(c.counts -> 'topics') AS t ON true
    WHERE c.account_id = :account_id AND c.started_at > a.at - interval '30 days'
    GROUP BY c.cycle_id
)

SELECT
    (SELECT count(*) FROM crm.identity AS i WHERE i.account_id = :account_id) AS known_people,
    (SELECT coalesce(sum(greatest(c.new_people, c.created)), 0) FROM cycles AS c)::double precision
    / a.days AS new_people_a_day,
    coalesce(
        greatest(extract(EPOCH FROM now() - greatest(a.complete_at, r.started_at)) / 86400, 1), 1
    )::double precision AS days_since_read,
    r.row_count,
    r.rejected
FROM anchor AS a
CROSS JOIN (
    SELECT
        max(c.started_at) AS started_at,
        coalesce(sum(c.row_count), 0)::bigint AS row_count,
        coalesce(sum(c.rejected), 0)::bigint AS rejected
    FROM cycles AS c
    WHERE c.row_count IS NOT NULL AND c.state <> 'Held'
) AS r
