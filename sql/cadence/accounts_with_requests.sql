SELECT a.account_id
FROM crm.request AS r
INNER JOIN crm.account AS a ON r.account_id = a.account_id
LEFT JOIN crm.sync_state AS s ON a.account_id = s.account_id
LEFT JOIN crm.held_account AS h ON a.account_id = h.account_id
WHERE
    r.state = 'pending'
    AND r.next_attempt_at <= now()
    AND a.enabled
    AND h.account_id IS NULL
    AND NOT coalesce(s.claimed_until > now(), false)
    -- One that has just failed would fail again.
    AND NOT coalesce(s.state = 'Failed' AND s.finished_at > now() - interval '1 minute', false)
GROUP BY a.account_id
ORDER BY min(r.seq)
