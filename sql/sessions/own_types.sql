-- Types that somebody made in this database, and their arrays; no row types of tables.
SELECT
    t.typname AS name,
    t.oid::bigint AS type_id,
    t.typarray::bigint AS array_id,
    t.typdelim AS delimiter
FROM pg_type AS t
INNER JOIN pg_namespace AS n ON t.typnamespace = n.oid
LEFT JOIN pg_class AS c ON t.typrelid = c.oid
WHERE
    t.typarray <> 0
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND coalesce(c.relkind, 'c') = 'c'
