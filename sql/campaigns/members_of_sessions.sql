-- The memberships of which a row of these sessions tells.
SELECT DISTINCT m.natural_key
FROM crm.member_row AS m
WHERE m.account_id = :account_id AND m.event_session_id = any(CAST(:sessions AS bigint []))
ORDER BY m.natural_key
