-- All tags and scores that a client has defined. Read only for accounts that have the engagement
-- workflow on, as all of sql/extract/engagement: a warehouse without prospects needs none of it.
--
-- Parameter: client_id.
-- The columns' names are the contract; with another schema, edit this statement and keep them.
-- Further columns may be added. `what` is tag or score; a score's kind is number or grade.
SELECT
    'tag' AS what,
    t.tag_id AS id,
    t.name,
    t.category,
    NULL AS kind,
    t.description,
    t.shipped_at AS changed_at
FROM warehouse.tag_definition AS t
WHERE t.client_id = :client_id
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
WHERE s.client_id = :client_id
