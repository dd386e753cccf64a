-- Made of ../../engagement/sizes.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    (
        SELECT
            COUNT(*)
        FROM warehouse.tag_definition AS t
        WHERE
            t.client_id = :client_id
    ) AS tag,
    (
        SELECT
            COUNT(*)
        FROM warehouse.score_definition AS s
        WHERE
            s.client_id = :client_id
    ) AS score,
    (
        SELECT
            COUNT(*)
        FROM warehouse.prospect AS p
        WHERE
            p.client_id = :client_id
    ) AS prospect,
    (
        SELECT
            COUNT(*)
        FROM warehouse.prospect_tag AS t
        WHERE
            t.client_id = :client_id
    ) AS prospect_tag,
    (
        SELECT
            COUNT(*)
        FROM warehouse.prospect_score AS s
        WHERE
            s.client_id = :client_id
    ) AS prospect_score,
    (
        SELECT
            COUNT(*)
        FROM warehouse.prospect_page AS g
        WHERE
            g.client_id = :client_id
    ) AS prospect_page
