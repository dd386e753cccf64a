-- For each column that can hold text, the statement that counts the rows with a text in it.
SELECT
    c.table_schema || '.' || c.table_name || '.' || c.column_name AS place,
    format(
        'SELECT count(*) FROM %I.%I WHERE position(lower(%%(text)s) IN lower(%s)) > 0',
        c.table_schema,
        c.table_name,
        CASE c.data_type
            WHEN 'bytea' THEN format('encode(%I, ''escape'')', c.column_name)
            ELSE format('CAST(%I AS text)', c.column_name)
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
