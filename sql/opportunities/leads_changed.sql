-- The tracked leads that have changed, or whose people's records have, since this was asked last.
WITH seen AS (
    SELECT r.leads_seen_at
    FROM crm.opportunity_reading AS r
    WHERE r.account_id = :account_id
),

moved AS (
    UPDATE crm.opportunity_reading AS r
    SET leads_seen_at = now()
    WHERE r.account_id = :account_id
)

SELECT t.lead_id
FROM crm.tracked_lead AS t
CROSS JOIN seen AS s
WHERE t.account_id = :account_id AND t.changed_at >= s.leads_seen_at
UNION
SELECT t.lead_id
FROM crm.identity AS i
CROSS JOIN seen AS s
INNER JOIN crm.tracked_lead AS t
    ON i.account_id = t.account_id AND i.person_key = t.person_key
WHERE i.account_id = :account_id AND i.seen_at >= s.leads_seen_at
