-- The memberships of which a row of these sessions tells.
SELECT DISTINCT told.natural_key
FROM crm.member_row AS m
CROSS JOIN LATERAL (VALUES (m.natural_key), (m.of_session)) AS told (natural_key)
WHERE
    m.account_id = :account_id
    AND m.event_session_id = any(CAST(:sessions AS bigint []))
    AND told.natural_key IS NOT NULL
ORDER BY told.natural_key
