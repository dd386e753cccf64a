-- The warehouse's own time, and when the newest row of a client's source was shipped.
-- Parameters: client_id; source, as in new_rows.sql.
SELECT
    now() AS now,
    CASE :source
        WHEN 'definitions' THEN greatest(
            (
                SELECT max(t.shipped_at)
                FROM warehouse.tag_definition AS t WHERE t.client_id = :client_id
            ),
            (
                SELECT max(s.shipped_at)
                FROM warehouse.score_definition AS s WHERE s.client_id = :client_id
            )
        )
        WHEN 'prospects' THEN greatest(
            (SELECT max(p.shipped_at) FROM warehouse.prospect AS p WHERE p.client_id = :client_id),
            (
                SELECT max(pt.shipped_at)
                FROM warehouse.prospect_tag AS pt WHERE pt.client_id = :client_id
            ),
            (
                SELECT max(ps.shipped_at)
                FROM warehouse.prospect_score AS ps WHERE ps.client_id = :client_id
            )
        )
        ELSE (
            SELECT max(g.shipped_at)
            FROM warehouse.prospect_page AS g WHERE g.client_id = :client_id
        )
    END AS newest
