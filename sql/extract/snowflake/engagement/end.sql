-- Made of ../../engagement/end.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    CURRENT_TIMESTAMP() AS now,
    CASE :source
        WHEN 'definitions'
        THEN GREATEST_IGNORE_NULLS((
            SELECT
                MAX(t.shipped_at)
            FROM warehouse.tag_definition AS t
            WHERE
                t.client_id = :client_id
        ), (
            SELECT
                MAX(s.shipped_at)
            FROM warehouse.score_definition AS s
            WHERE
                s.client_id = :client_id
        ))
        WHEN 'prospects'
        THEN GREATEST_IGNORE_NULLS((
            SELECT
                MAX(p.shipped_at)
            FROM warehouse.prospect AS p
            WHERE
                p.client_id = :client_id
        ), (
            SELECT
                MAX(pt.shipped_at)
            FROM warehouse.prospect_tag AS pt
            WHERE
                pt.client_id = :client_id
        ), (
            SELECT
                MAX(ps.shipped_at)
            FROM warehouse.prospect_score AS ps
            WHERE
                ps.client_id = :client_id
        ))
        ELSE (
            SELECT
                MAX(g.shipped_at)
            FROM warehouse.prospect_page AS g
            WHERE
                g.client_id = :client_id
        )
    END AS newest
