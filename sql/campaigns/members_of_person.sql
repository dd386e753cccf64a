-- The membership of whoever has an address in an event's campaign: its latest version.
SELECT
    p.person_key,
    o.operation_id,
    o.state,
    m.member_id
FROM crm.person AS p
CROSS JOIN LATERAL (
    SELECT
        v.operation_id,
        v.state
    FROM crm.operation AS v
    WHERE
        v.account_id = p.account_id
        AND v.natural_key = 'member:' || CAST(:event_id AS bigint) || ':' || p.person_key
    ORDER BY v.version DESC
    LIMIT 1
) AS o
LEFT JOIN crm.campaign_member AS m
    ON
        p.account_id = m.account_id
        AND m.event_id = :event_id
        AND p.person_key = m.person_key
WHERE p.account_id = :account_id AND p.address = :address
ORDER BY p.person_key
