-- The account waits so long after each session's end from now on; NULL: it derives no no-shows.
UPDATE crm.session_end
SET no_shows_at = ends_at + make_interval(secs => :grace_seconds)
WHERE
    account_id = :account_id
    AND no_shows_at IS DISTINCT FROM ends_at + make_interval(secs => :grace_seconds)
