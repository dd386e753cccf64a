-- The account stands as its cycle ended, but for one of some steps that went well: that does not speak
-- for the account. `since` stays where the one that spoke for it before ended alike.
UPDATE crm.sync_state AS s
SET
    state = c.state,
    reason = c.reason,
    notes = c.notes,
    finished_at = c.finished_at,
    since = CASE WHEN before.state = c.state THEN coalesce(s.since, c.finished_at) ELSE c.finished_at END,
    complete_at = CASE WHEN c.state = 'Complete' THEN c.finished_at ELSE s.complete_at END,
    failures_in_a_row = CASE WHEN c.state = 'Failed' THEN s.failures_in_a_row + 1 ELSE 0 END,
    paused_until = CAST(:paused_until AS timestamptz)
FROM crm.cycle AS c
INNER JOIN crm.state_before AS before ON c.cycle_id = before.cycle_id
WHERE
    s.account_id = :account_id
    AND c.cycle_id = :cycle_id
    AND (c.whole OR c.state <> 'Complete')
