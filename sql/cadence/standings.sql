-- The standing of each enabled account: whether it may run, and what it has to do.
--
-- An account is in flight when a planner has claimed it or a process holds its lock. Pending
-- operations count only when they could be sent now: a new version waits for the answer to the one
-- before. What waits for people or campaigns is no business of a tick: only a cycle can change that,
-- and it notes whether it has left anything (`sendable`).
SELECT
    a.account_id,
    a.client_id,
    coalesce(s.state, 'New') AS state,
    coalesce(s.claimed_until > now(), false) OR h.account_id IS NOT NULL AS in_flight,
    c.refused_at IS NOT NULL AS refused,
    coalesce(s.failures_in_a_row, 0) AS failures_in_a_row,
    s.finished_at,
    greatest(a.updated_at, c.updated_at) AS changed_at,
    s.paused_until,
    coalesce(
        (
            -- In the order of the partial index: without, the planner may read all operations for each
            -- account where many of one are to be tried again later.
            SELECT coalesce(o.next_attempt_at, now())
            FROM crm.operation AS o
            WHERE o.account_id = a.account_id AND o.state = 'failed' AND o.attempts_left > 0
            ORDER BY o.account_id, o.next_attempt_at NULLS FIRST
            LIMIT 1
        ) <= now(),
        false
    ) AS retries,
    EXISTS (
        SELECT FROM crm.operation AS o
        WHERE
            o.account_id = a.account_id
            AND o.state = 'in_flight'
            AND o.sent_at <= now() - make_interval(secs => :grace_seconds)
    ) OR EXISTS (
        SELECT FROM crm.operation AS o
        WHERE
            o.account_id = a.account_id
            AND o.state = 'pending'
            AND o.kind = 'person'
            AND NOT (
                o.version > 1
                AND EXISTS (
                    SELECT FROM crm.operation AS earlier
                    WHERE
                        earlier.account_id = o.account_id
                        AND earlier.natural_key = o.natural_key
                        AND earlier.state = 'in_flight'
                )
            )
    ) OR coalesce(s.sendable, false) OR (
        coalesce(a.settings #>> '{campaigns,from_salesforce}', 'off') <> 'off'
        AND EXISTS (
            SELECT FROM crm.campaign_wish AS w
            WHERE w.account_id = a.account_id AND w.told_at IS NULL
        )
    ) OR EXISTS (
        SELECT FROM crm.emptied_field AS e
        WHERE e.account_id = a.account_id
    ) AS unfinished,
    EXISTS (
        SELECT FROM crm.pushed_session AS p
        WHERE p.account_id = a.account_id AND p.backfilled_at IS NULL
    ) AS unread_sessions,
    coalesce(a.updated_at > s.started_at, false) AS settings_changed,
    a.settings ->> 'campaigns' IS NOT NULL AND EXISTS (
        SELECT FROM crm.campaign_backfill AS b
        WHERE b.account_id = a.account_id AND b.done_at IS NULL
    ) AS events_to_read_again,
    a.settings ->> 'campaigns' IS NOT NULL AND coalesce(
        (
            -- In the order of the partial index, which holds few.
            SELECT e.no_shows_at
            FROM crm.session_end AS e
            WHERE e.account_id = a.account_id AND e.attended <> e.derived
            ORDER BY e.account_id, e.no_shows_at
            LIMIT 1
        ) <= now(),
        false
    ) AS sessions_over,
    a.settings ->> 'campaigns' IS NOT NULL AND EXISTS (
        SELECT FROM crm.campaign_mapping AS m
        WHERE
            m.account_id = a.account_id
            AND m.conversions_seen_at < now() - interval '1 day'
            AND EXISTS (
                SELECT FROM crm.campaign_member AS lead
                WHERE lead.account_id = m.account_id AND lead.person_id LIKE '00Q%'
            )
    ) AS conversions_unseen,
    coalesce(n.counted_at < now() - interval '1 day', false) AS uncounted,
    CAST(a.settings AS text) AS settings
FROM crm.account AS a
LEFT JOIN crm.sync_state AS s ON a.account_id = s.account_id
LEFT JOIN crm.credential AS c ON a.account_id = c.account_id
LEFT JOIN crm.held_account AS h ON a.account_id = h.account_id
LEFT JOIN crm.source_count AS n
    ON a.account_id = n.account_id AND n.source = 'registrations'
WHERE a.enabled
ORDER BY s.finished_at NULLS FIRST, a.account_id
