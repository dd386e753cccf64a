SELECT count(*)
FROM pg_stats AS s
WHERE
    s.schemaname NOT IN ('pg_catalog', 'information_schema', 'warehouse')
    AND position(
        lower(:text) IN lower(
            concat_ws(
                ' ',
                CAST(s.most_common_vals AS text),
                CAST(s.histogram_bounds AS text),
                CAST(s.most_common_elems AS text)
            )
        )
    ) > 0
