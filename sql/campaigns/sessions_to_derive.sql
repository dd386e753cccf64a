-- Sessions whose memberships are to be looked at again, and whether they count as over: they have
-- come to since, or do so no more, as they were moved or nobody is known to have been there.
SELECT s.event_session_id, NOT s.derived AS is_over
FROM crm.session_end AS s
WHERE
    s.account_id = :account_id
    AND coalesce(s.attended AND s.no_shows_at <= now(), false) <> s.derived
ORDER BY s.event_session_id
