-- Closes the cycle and gives the claim back; `sendable`: something is left, beside people, that could
-- be sent now. Where nothing waits (`waits`), the planner leaves that question out.
WITH finished AS (
    UPDATE crm.cycle
    SET
        state = :state,
        reason = nullif(:reason, ''),
        notes = nullif(:notes, ''),
        counts = CAST(:counts AS jsonb),
        finished_at = clock_timestamp()
    WHERE cycle_id = :cycle_id
)

UPDATE crm.sync_state AS s
SET
    watermark = coalesce(
        (SELECT max(p.watermark) FROM crm.source_position AS p WHERE p.account_id = :account_id),
        s.watermark
    ),
    succeeded = :succeeded,
    failed = :failed,
    claimed_until = NULL,
    sendable = CAST(:waits AS boolean) AND EXISTS (
        SELECT FROM crm.operation AS o
        LEFT JOIN crm.identity AS i
            ON o.account_id = i.account_id AND o.person_key = i.person_key
        WHERE
            o.account_id = :account_id
            AND (i.person_key IS NOT NULL OR o.gone OR o.kind IN ('message', 'undo'))
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
                    LEFT JOIN crm.event_campaign AS there
                        ON
                            link.account_id = there.account_id
                            AND crm.campaign_key(o.intent) = there.campaign_key
                    WHERE
                        link.account_id = o.account_id
                        AND link.natural_key = 'campaign:' || crm.campaign_key(o.intent)
                        AND (
                            link.state IN ('failed', 'exhausted')
                            -- Nobody makes it, unless people think better of that.
                            OR (
                                link.state = 'dropped'
                                AND there.campaign_key IS NULL
                                AND NOT EXISTS (
                                    SELECT FROM crm.operation AS newer
                                    WHERE
                                        newer.account_id = link.account_id
                                        AND newer.natural_key = link.natural_key
                                        AND newer.version > link.version
                                )
                            )
                        )
                )
            )
            -- What belongs to it may be among these, and goes first.
            AND NOT (
                o.kind = 'undo'
                AND EXISTS (
                    SELECT FROM crm.operation AS child
                    WHERE
                        child.account_id = o.account_id
                        AND child.kind = 'undo'
                        AND child.state IN ('in_flight', 'failed')
                )
            )
    ),
    api_used = coalesce(:api_used, s.api_used),
    api_limit = coalesce(:api_limit, s.api_limit),
    api_seen_at = CASE WHEN CAST(:api_used AS integer) IS NULL THEN s.api_seen_at ELSE now() END,
    latency_seconds = coalesce(:latency_seconds, s.latency_seconds)
WHERE s.account_id = :account_id
