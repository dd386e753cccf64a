-- The accounts that a run has left in the middle of their cycle are failed; nobody holds them.
WITH abandoned AS (
    UPDATE crm.sync_state AS s
    SET
        state = 'Failed',
        reason = :reason,
        notes = NULL,
        finished_at = now(),
        since = CASE
            WHEN
                s.since IS NOT NULL
                AND 'Failed' = (SELECT b.state FROM crm.state_before AS b WHERE b.cycle_id = s.cycle_id)
                THEN s.since
            ELSE now()
        END,
        failures_in_a_row = s.failures_in_a_row + 1,
        claimed_until = NULL
    WHERE
        s.run_id = :run_id
        AND s.state = 'Processing'
        AND NOT EXISTS (SELECT FROM crm.held_account AS h WHERE h.account_id = s.account_id)
    RETURNING s.account_id, s.cycle_id
),

closed AS (
    UPDATE crm.cycle AS c
    SET state = 'Failed', reason = :reason, finished_at = now()
    FROM abandoned AS a
    WHERE c.cycle_id = a.cycle_id AND c.state = 'Processing'
)

SELECT account_id FROM abandoned
