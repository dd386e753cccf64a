-- Passes if at most one in ten writes of the last cycle failed.
SELECT
    s.account_id,
    s.failed * 10 <= s.succeeded + s.failed AS passed,
    s.succeeded,
    s.failed,
    CASE
        WHEN s.succeeded + s.failed > 0
            THEN round(100.0 * s.failed / (s.succeeded + s.failed), 1)::double precision
        ELSE 0.0
    END AS percent_failed
FROM crm.sync_state AS s
WHERE s.account_id = any(CAST(:account_ids AS text []))
