-- All numbers of a scrape, in one row of JSON: totals, the accounts that have labels of their own
-- (as many as `most`, those in trouble first), open alerts by cause, and ticks.
WITH open_operations AS (
    SELECT
        o.account_id,
        count(*) FILTER (WHERE o.state <> 'exhausted') AS waiting,
        count(*) FILTER (WHERE o.state = 'exhausted') AS exhausted
    FROM crm.operation AS o
    WHERE o.state IN ('pending', 'held', 'in_flight', 'failed', 'exhausted')
    GROUP BY o.account_id
),

open_alerts AS (
    SELECT a.account_id, count(*) AS alerts, bool_or(a.cause = 'late') AS late
    FROM crm.alert AS a
    WHERE a.closed_at IS NULL
    GROUP BY a.account_id
),

facts AS MATERIALIZED (
    SELECT
        a.account_id AS account,
        coalesce(s.state, 'New') AS state,
        coalesce(o.waiting, 0) AS waiting,
        coalesce(o.exhausted, 0) AS exhausted,
        coalesce(l.alerts, 0) AS alerts,
        coalesce(l.late, false) AS late,
        coalesce(s.failures_in_a_row, 0) AS failures,
        extract(EPOCH FROM s.complete_at) AS complete_at,
        extract(EPOCH FROM c.finished_at - c.started_at) AS seconds,
        CAST(c.counts ->> 'api_calls' AS bigint) AS calls,
        s.api_used,
        s.api_limit
    FROM crm.account AS a
    LEFT JOIN crm.sync_state AS s ON a.account_id = s.account_id
    LEFT JOIN LATERAL (
        SELECT e.started_at, e.finished_at, e.counts
        FROM crm.cycle AS e
        WHERE e.account_id = a.account_id AND e.finished_at IS NOT NULL
        ORDER BY e.cycle_id DESC
        LIMIT 1
    ) AS c ON true
    LEFT JOIN open_operations AS o ON a.account_id = o.account_id
    LEFT JOIN open_alerts AS l ON a.account_id = l.account_id
    WHERE a.enabled
)

SELECT
    (
        SELECT jsonb_object_agg(t.state, t.accounts)
        FROM (SELECT f.state, count(*) AS accounts FROM facts AS f GROUP BY f.state) AS t
    )::text AS states,
    (
        SELECT jsonb_build_object(
                'late', count(*) FILTER (WHERE f.late),
                'waiting', coalesce(sum(f.waiting), 0),
                'exhausted', coalesce(sum(f.exhausted), 0)
            )
        FROM facts AS f
    )::text AS totals,
    (
        SELECT jsonb_agg(to_jsonb(t))
        FROM (
            SELECT f.*
            FROM facts AS f
            ORDER BY f.alerts DESC, f.failures DESC, f.waiting DESC, f.account
            LIMIT :most
        ) AS t
    )::text AS accounts,
    (
        SELECT jsonb_object_agg(t.cause, t.alerts)
        FROM (
            SELECT a.cause, count(*) AS alerts
            FROM crm.alert AS a
            WHERE a.closed_at IS NULL
            GROUP BY a.cause
        ) AS t
    )::text AS alerts,
    (
        SELECT jsonb_agg(
                jsonb_build_object(
                    'name', t.name,
                    'ticks', t.ticks,
                    'failures', t.failures,
                    'ticked_at', extract(EPOCH FROM t.ticked_at)
                )
            )
        FROM crm.tick AS t
    )::text AS ticks
