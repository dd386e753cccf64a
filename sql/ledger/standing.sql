-- How an account stands, as the last cycle that spoke for it left it.
SELECT
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
        WHERE c.account_id = s.account_id AND c.refused_at IS NOT NULL
    ) AS refused
FROM crm.sync_state AS s
WHERE s.account_id = :account_id
