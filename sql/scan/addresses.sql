-- For each column that can hold text, the statement that gives the addresses in it, each once with
-- the account of the row where the table has one.
SELECT
    c.table_schema || '.' || c.table_name || '.' || c.column_name AS place,
    format(
        'SELECT DISTINCT %s AS account_id, m.found[1] AS address FROM %I.%I AS t'
        ' CROSS JOIN LATERAL (SELECT replace(lower(%s), ''%%40'', ''@'') AS said) AS s'
        ' CROSS JOIN LATERAL regexp_matches(s.said,'
        ' ''[a-z0-9!#$%%&''''*+/=?^_`{|}~.-]{1,200}@[a-z0-9.-]{1,255}'', ''g'') AS m (found)'
        ' WHERE position(''@'' IN s.said) > 0',
        CASE
            WHEN EXISTS (
                SELECT FROM information_schema.columns AS a
                WHERE
                    a.table_schema = c.table_schema
                    AND a.table_name = c.table_name
                    AND a.column_name = 'account_id'
            ) THEN 't.account_id'
            ELSE 'CAST(NULL AS text)'
        END,
        c.table_schema,
        c.table_name,
        CASE c.data_type
            WHEN 'bytea' THEN format('encode(t.%I, ''escape'')', c.column_name)
            ELSE format('CAST(t.%I AS text)', c.column_name)
        END
    ) AS command
FROM information_schema.columns AS c
INNER JOIN information_schema.tables AS t
    ON c.table_schema = t.table_schema AND c.table_name = t.table_name
WHERE
    t.table_type = 'BASE TABLE'
    AND c.table_schema NOT IN ('pg_catalog', 'information_schema', 'warehouse')
    AND c.table_schema !~ '^pg_'
    AND c.data_type IN (
        'text', 'character varying', 'character', 'json', 'jsonb', 'xml', 'ARRAY', 'bytea'
    )
ORDER BY 1
