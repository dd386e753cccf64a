-- The numbers of a client's rows, by what they are.
-- Parameter: client_id.
SELECT
    (SELECT count(*) FROM warehouse.tag_definition AS t WHERE t.client_id = :client_id) AS tag,
    (SELECT count(*) FROM warehouse.score_definition AS s WHERE s.client_id = :client_id) AS score,
    (SELECT count(*) FROM warehouse.prospect AS p WHERE p.client_id = :client_id) AS prospect,
    (SELECT count(*) FROM warehouse.prospect_tag AS t WHERE t.client_id = :client_id)
        AS prospect_tag,
    (SELECT count(*) FROM warehouse.prospect_score AS s WHERE s.client_id = :client_id)
        AS prospect_score,
    (SELECT count(*) FROM warehouse.prospect_page AS g WHERE g.client_id = :client_id)
        AS prospect_page
