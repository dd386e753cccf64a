-- How many of these accounts ended a cycle after a moment, by state, and when the last one did.
SELECT
    s.state,
    count(*) AS accounts,
    max(s.finished_at) AS last_one
FROM crm.sync_state AS s
WHERE s.account_id = any(%(accounts)s) AND s.finished_at > %(since)s AND s.state <> 'Processing'
GROUP BY s.state
