-- The members that are to be in the campaigns of some events.
SELECT
    m.campaign_key,
    m.person_key,
    m.person_id,
    said.status
FROM crm.campaign_member AS m
CROSS JOIN LATERAL (
    SELECT o.intent ->> 'Status' AS status
    FROM crm.operation AS o
    WHERE
        o.account_id = m.account_id
        AND o.natural_key = 'member:' || m.campaign_key || ':' || m.person_key
        AND o.state = 'done'
        AND NOT o.gone
    ORDER BY o.version DESC
    LIMIT 1
) AS said
WHERE m.account_id = :account_id AND m.campaign_key = any(CAST(:keys AS text []))
ORDER BY m.campaign_key, m.person_key
