-- Where the extension is there: the statement that counts those with a text in them.
SELECT
    format(
        'SELECT count(*) FROM %s WHERE position(lower(%%(text)s) IN lower(query)) > 0'
        ' AND query NOT LIKE ''%%%%pg_stat_statements%%%%''',
        c.oid::regclass
    ) AS command
FROM pg_class AS c
WHERE c.relname = 'pg_stat_statements' AND c.relkind = 'v'
