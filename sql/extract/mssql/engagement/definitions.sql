-- Made of ../../engagement/definitions.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    'tag' AS what,
    t.tag_id AS id,
    t.name,
    t.category,
    NULL AS kind,
    t.description,
    t.shipped_at AS changed_at
FROM warehouse.tag_definition AS t
WHERE
    t.client_id = :client_id
UNION ALL
SELECT
    'score' AS what,
    s.score_id AS id,
    s.name,
    NULL AS category,
    s.kind,
    s.description,
    s.shipped_at AS changed_at
FROM warehouse.score_definition AS s
WHERE
    s.client_id = :client_id
