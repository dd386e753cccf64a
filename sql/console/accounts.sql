-- All accounts behind one, and the state of each: what it takes to choose those that are shown.
SELECT
    a.account_id,
    a.name,
    a.enabled,
    a.activated_at IS NULL AS draft,
    coalesce(s.state, 'New') AS state
FROM crm.account AS a
LEFT JOIN crm.sync_state AS s ON a.account_id = s.account_id
WHERE a.account_id > :after
ORDER BY a.account_id
