-- Sessions that are over, each looked at.
INSERT INTO crm.session_end (account_id, event_session_id, ends_at, no_shows_at, attended, derived)
SELECT
    %(account)s, n, now(), now() - interval '1 hour', n %% 2 = 0, n %% 2 = 0
FROM generate_series(1, %(operations)s::bigint) AS n
