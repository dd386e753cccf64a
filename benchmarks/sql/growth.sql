-- The rows that were ever inserted into each table, and its bytes with indexes.
SELECT
    s.schemaname || '.' || s.relname AS name,
    s.n_tup_ins AS rows,
    pg_total_relation_size(s.relid) AS bytes
FROM pg_stat_user_tables AS s
WHERE s.schemaname <> 'warehouse'
