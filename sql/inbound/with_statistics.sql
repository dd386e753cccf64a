-- What makes the statistics of these tables anew, of those that have any.
SELECT DISTINCT format('ANALYZE %I.%I', s.schemaname, s.tablename) AS command
FROM pg_stats AS s
WHERE s.schemaname || '.' || s.tablename = any(CAST(:tables AS text []))
