-- Memberships of which a row has a status word that nobody has explained: what it says is held.
SELECT
    a.account_id,
    count(held.operation_id) = 0 AS passed,
    count(held.operation_id) AS members_held
FROM crm.account AS a
LEFT JOIN LATERAL (
    SELECT o.operation_id
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
