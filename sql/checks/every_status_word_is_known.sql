-- Registrations, and memberships of such rows, that are held since nobody has said what a status word
-- means.
SELECT
    a.account_id,
    count(held.kind) = 0 AS passed,
    count(held.kind) FILTER (WHERE held.kind = 'activity') AS registrations_held,
    count(held.kind) FILTER (WHERE held.kind = 'member') AS members_held
FROM crm.account AS a
LEFT JOIN LATERAL (
    SELECT o.kind
    FROM crm.operation AS o
    WHERE
        o.account_id = a.account_id
        AND o.memory -> 'unknown' IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM crm.operation AS later
            WHERE
                later.account_id = o.account_id
                AND later.natural_key = o.natural_key
                AND later.version > o.version
        )
) AS held ON true
WHERE a.account_id = any(CAST(:account_ids AS text []))
GROUP BY a.account_id
