-- What is usual of an account: its known people, and its cycles of the 30 days before it was Complete
-- last. Days count from its activation, and since it was Complete: at least one.
WITH anchor AS (
    SELECT
        coalesce(s.complete_at, now()) AS at,
        greatest(
            least(extract(EPOCH FROM coalesce(s.complete_at, now()) - a.activated_at) / 86400, 30), 1
        )::double precision AS days,
        greatest(extract(EPOCH FROM now() - s.complete_at) / 86400, 1)::double precision AS days_since
    FROM crm.account AS a
    LEFT JOIN crm.sync_state AS s ON a.account_id = s.account_id
    WHERE a.account_id = :account_id
),

cycles AS (
    SELECT
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
    coalesce(a.days_since, 1) AS days_since_complete,
    (SELECT coalesce(sum(c.row_count), 0) FROM cycles AS c)::bigint AS row_count,
    (SELECT coalesce(sum(c.rejected), 0) FROM cycles AS c)::bigint AS rejected
FROM anchor AS a
