-- The memberships of whoever has an address, in an event's campaign and in those of its sessions: the
-- latest version of each.
SELECT
    p.person_key,
    o.natural_key,
    o.operation_id,
    o.state,
    o.reason,
    m.member_id
FROM crm.person AS p
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (v.natural_key)
        v.natural_key,
        v.operation_id,
        v.state,
        v.reason
    FROM crm.operation AS v
    WHERE
        v.account_id = p.account_id
        AND v.person_key = p.person_key
        AND v.kind = 'member'
        AND (v.intent ->> 'event_id')::bigint = :event_id
    ORDER BY v.natural_key, v.version DESC
) AS o
LEFT JOIN crm.campaign_member AS m
    ON
        p.account_id = m.account_id
        AND p.person_key = m.person_key
        AND 'member:' || m.campaign_key || ':' || m.person_key = o.natural_key
WHERE
    p.account_id = :account_id
    AND p.person_key IN (
        SELECT known.person_key
        FROM crm.person AS known
        WHERE known.account_id = :account_id AND known.address = :address
        UNION
        SELECT a.person_key
        FROM crm.person_alias AS a
        WHERE a.account_id = :account_id AND a.address = :address AND NOT a.taken
    )
ORDER BY p.person_key, o.natural_key
