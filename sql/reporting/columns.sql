-- The views of `reporting` with their columns, in order, and what the comments say of both.
SELECT
    c.relname AS view,
    obj_description(c.oid, 'pg_class') AS says,
    a.attname AS "column",
    format_type(a.atttypid, a.atttypmod) AS type,
    col_description(c.oid, a.attnum) AS column_says
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON c.relnamespace = n.oid
INNER JOIN pg_attribute AS a ON c.oid = a.attrelid
WHERE n.nspname = 'reporting' AND c.relkind = 'v' AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname <> 'version', c.relname, a.attnum
