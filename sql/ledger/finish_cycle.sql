-- Closes the cycle and gives the claim back. `since` stays where the cycle before ended alike;
-- `sendable`: something is left, beside people, that could be sent now. A cycle of some steps that
-- went well leaves the account's state as it was.
WITH ended AS MATERIALIZED (
    SELECT clock_timestamp() AS moment
),

before AS (
    SELECT state
    FROM crm.cycle
    WHERE account_id = :account_id AND cycle_id < :cycle_id AND (whole OR state <> 'Complete')
    ORDER BY cycle_id DESC
    LIMIT 1
),

finished AS (
    UPDATE crm.cycle
    SET
        state = :state,
        reason = nullif(:reason, ''),
        notes = nullif(:notes, ''),
        counts = CAST(:counts AS jsonb),
        finished_at = (SELECT e.moment FROM ended AS e)
    WHERE cycle_id = :cycle_id
)

UPDATE crm.sync_state AS s
SET
    (
        state, reason, notes, finished_at, since, complete_at, failures_in_a_row, paused_until
    ) = (
        SELECT
            :state,
            nullif(:reason, ''),
            nullif(:notes, ''),
            e.moment,
            CASE
                WHEN (SELECT b.state FROM before AS b) = :state AND s.since IS NOT NULL THEN s.since
                ELSE e.moment
            END,
            CASE WHEN :state = 'Complete' THEN e.moment ELSE s.complete_at END,
            CASE WHEN :state = 'Failed' THEN s.failures_in_a_row + 1 ELSE 0 END,
            CAST(:paused_until AS timestamptz)
        WHERE :whole OR :state <> 'Complete'
        UNION ALL
        SELECT
            s.state, s.reason, s.notes, s.finished_at, s.since, s.complete_at,
            s.failures_in_a_row, s.paused_until
        WHERE NOT :whole AND :state = 'Complete'
    ),
    watermark = coalesce(
        (SELECT max(p.watermark) FROM crm.source_position AS p WHERE p.account_id = :account_id),
        s.watermark
    ),
    succeeded = :succeeded,
    failed = :failed,
    claimed_until = NULL,
    sendable = EXISTS (
        SELECT FROM crm.operation AS o
        LEFT JOIN crm.identity AS i
            ON o.account_id = i.account_id AND o.person_key = i.person_key
        WHERE
            o.account_id = :account_id
            AND (i.person_key IS NOT NULL OR o.gone OR o.kind = 'message')
            AND o.state = 'pending'
            AND o.kind <> 'person'
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
            AND NOT (
                o.kind = 'member'
                AND EXISTS (
                    SELECT FROM crm.operation AS link
                    WHERE
                        link.account_id = o.account_id
                        AND link.natural_key
                        = 'campaign:'
                        || coalesce(o.intent ->> 'campaign_key', o.intent ->> 'event_id')
                        AND link.state IN ('failed', 'exhausted')
                )
            )
    ),
    api_used = coalesce(:api_used, s.api_used),
    api_limit = coalesce(:api_limit, s.api_limit),
    api_seen_at = CASE WHEN CAST(:api_used AS integer) IS NULL THEN s.api_seen_at ELSE now() END,
    latency_seconds = coalesce(:latency_seconds, s.latency_seconds)
FROM ended AS e
WHERE s.account_id = :account_id
RETURNING
    s.state,
    coalesce(s.reason, '') AS reason,
    s.watermark,
    s.finished_at,
    s.since,
    s.complete_at,
    s.failures_in_a_row,
    s.paused_until,
    EXISTS (
        SELECT FROM crm.credential AS c
        WHERE c.account_id = :account_id AND c.refused_at IS NOT NULL
    ) AS refused
