-- Intents of the last cycle for an address that contains one of the account's filter strings. A
-- string that was added after the cycle had begun is for the next one.
SELECT
    s.account_id,
    count(o.operation_id) = 0 AS passed,
    count(o.operation_id) AS filtered_addresses_in_payloads
FROM crm.sync_state AS s
LEFT JOIN crm.email_filter AS f
    ON s.account_id = f.account_id AND s.started_at > f.created_at
LEFT JOIN (
    crm.operation AS o INNER JOIN crm.person AS p ON o.person_key = p.person_key
)
    ON
        s.cycle_id = o.read_by
        AND o.state <> 'rejected'
        -- Addresses are in lower case there, and of nothing but ASCII.
        AND position(lower(btrim(f.filter_string) COLLATE "C") IN p.address) > 0
WHERE s.account_id = any(CAST(:account_ids AS text []))
GROUP BY s.account_id
