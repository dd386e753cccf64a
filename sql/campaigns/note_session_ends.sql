-- When these sessions end, as the source says now, and when whoever has not come is a no-show.
INSERT INTO crm.session_end (account_id, event_session_id, ends_at, no_shows_at)
SELECT
    :account_id,
    s.event_session_id,
    s.ends_at,
    s.ends_at + make_interval(secs => :grace_seconds)
FROM unnest(CAST(:sessions AS bigint []), CAST(:ends AS timestamptz [])) AS s (event_session_id, ends_at)
ON CONFLICT (account_id, event_session_id) DO UPDATE SET
    ends_at = excluded.ends_at,
    no_shows_at = excluded.no_shows_at
WHERE session_end.ends_at <> excluded.ends_at
