-- The memberships of these sessions were looked at, as those of sessions that are over or not.
UPDATE crm.session_end AS s
SET derived = k.is_over
FROM unnest(
    CAST(:sessions AS bigint []), CAST(:are_over AS boolean [])
) AS k (event_session_id, is_over)
WHERE s.account_id = :account_id AND s.event_session_id = k.event_session_id
