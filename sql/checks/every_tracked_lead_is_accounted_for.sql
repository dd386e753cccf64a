-- Each tracked lead was rejected with a reason, or is about a person of whom something is wanted:
-- delivered, queued, or left out as the account says.
SELECT
    a.account_id,
    coalesce(count(t.lead_id) FILTER (WHERE t.rejected_because IS NULL AND o.natural_key IS NULL), 0)
    = 0 AS passed,
    count(t.lead_id) AS tracked_leads,
    count(t.lead_id) FILTER (WHERE t.rejected_because IS NOT NULL) AS rejected,
    count(t.lead_id) FILTER (WHERE t.rejected_because IS NULL AND o.natural_key IS NULL)
        AS unaccounted_for
FROM unnest(CAST(:account_ids AS text [])) AS a (account_id)
LEFT JOIN crm.tracked_lead AS t ON a.account_id = t.account_id
LEFT JOIN LATERAL (
    SELECT w.natural_key
    FROM crm.operation AS w
    WHERE
        w.account_id = t.account_id
        AND w.natural_key = 'person:' || t.person_key
        AND w.state <> 'superseded'
    LIMIT 1
) AS o ON true
GROUP BY a.account_id
