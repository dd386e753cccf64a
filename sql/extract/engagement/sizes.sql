-- The numbers of a client's rows: definitions, prospects, their tags and scores together, pages.
-- Parameter: client_id.
SELECT
    (SELECT count(*) FROM warehouse.tag_definition AS t WHERE t.client_id = :client_id)
    + (SELECT count(*) FROM warehouse.score_definition AS s WHERE s.client_id = :client_id)
        AS definitions,
    (SELECT count(*) FROM warehouse.prospect AS p WHERE p.client_id = :client_id) AS prospects,
    (SELECT count(*) FROM warehouse.prospect_tag AS t WHERE t.client_id = :client_id)
    + (SELECT count(*) FROM warehouse.prospect_score AS s WHERE s.client_id = :client_id)
        AS given,
    (SELECT count(*) FROM warehouse.prospect_page AS g WHERE g.client_id = :client_id) AS pages
