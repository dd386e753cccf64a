-- Events whose campaign could not be found or created, or lacks a status that is to be reported.
SELECT
    a.account_id,
    count(o.operation_id) = 0 AS passed,
    count(o.operation_id) AS events_without_campaign
FROM crm.account AS a
LEFT JOIN crm.operation AS o
    ON
        a.account_id = o.account_id
        AND o.kind = 'campaign'
        AND o.state IN ('failed', 'exhausted')
WHERE a.account_id = any(CAST(:account_ids AS text []))
GROUP BY a.account_id
