-- Notes how it went with targets that were told something; without a problem they took all of it.
INSERT INTO crm.alert_target AS k (target, took_at, failing_since, problem)
SELECT
    t.target,
    CASE WHEN t.problem IS NULL THEN now() END,
    CASE WHEN t.problem IS NOT NULL THEN now() END,
    t.problem
FROM unnest(CAST(:targets AS text []), CAST(:problems AS text [])) AS t (target, problem)
ON CONFLICT (target) DO UPDATE
SET
    took_at = coalesce(excluded.took_at, k.took_at),
    failing_since = CASE
        WHEN excluded.problem IS NOT NULL THEN coalesce(k.failing_since, excluded.failing_since)
    END,
    problem = excluded.problem
