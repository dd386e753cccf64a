-- A client's prospects of which a row was shipped after :since, oldest first, each with all of its
-- tags and scores.
--
-- Parameters: client_id; since; prospect_ids, NULL for all.
-- The columns' names are the contract; with another schema, edit this statement and keep them.
-- `tags` is an object of {since, times} by the tag's id, `scores` one of {value, grade} by the
-- score's id. life_cycle: Active, Merged or Deleted; NULL counts as Active.
WITH changed AS (
    SELECT c.prospect_id, max(c.shipped_at) AS changed_at
    FROM (
        SELECT p.prospect_id, p.shipped_at
        FROM warehouse.prospect AS p
        WHERE p.client_id = :client_id AND p.shipped_at > :since
        UNION ALL
        SELECT t.prospect_id, t.shipped_at
        FROM warehouse.prospect_tag AS t
        WHERE t.client_id = :client_id AND t.shipped_at > :since
        UNION ALL
        SELECT s.prospect_id, s.shipped_at
        FROM warehouse.prospect_score AS s
        WHERE s.client_id = :client_id AND s.shipped_at > :since
    ) AS c
    WHERE
        CAST(:prospect_ids AS text []) IS NULL
        OR c.prospect_id = any(CAST(:prospect_ids AS text []))
    GROUP BY c.prospect_id
),

tagged AS (
    SELECT
        t.prospect_id,
        jsonb_object_agg(
            t.tag_id, jsonb_build_object('since', CAST(t.since AS timestamptz), 'times', t.times)
        ) AS tags
    FROM changed AS c
    INNER JOIN warehouse.prospect_tag AS t
        ON t.client_id = :client_id AND c.prospect_id = t.prospect_id
    GROUP BY t.prospect_id
),

scored AS (
    SELECT
        s.prospect_id,
        jsonb_object_agg(
            s.score_id, jsonb_build_object('value', s.value, 'grade', s.grade)
        ) AS scores
    FROM changed AS c
    INNER JOIN warehouse.prospect_score AS s
        ON s.client_id = :client_id AND c.prospect_id = s.prospect_id
    GROUP BY s.prospect_id
)

SELECT
    p.prospect_id,
    p.email,
    p.first_name,
    p.last_name,
    p.company,
    p.phone,
    p.favorite,
    p.temperature,
    p.predictive_score,
    p.first_visit,
    p.last_visit,
    p.visits,
    p.life_cycle,
    p.merged_into,
    p.salesforce_id,
    coalesce(tagged.tags, CAST('{}' AS jsonb)) AS tags,
    coalesce(scored.scores, CAST('{}' AS jsonb)) AS scores,
    c.changed_at
FROM changed AS c
INNER JOIN warehouse.prospect AS p
    ON p.client_id = :client_id AND c.prospect_id = p.prospect_id
LEFT JOIN tagged ON c.prospect_id = tagged.prospect_id
LEFT JOIN scored ON c.prospect_id = scored.prospect_id
ORDER BY c.changed_at, p.prospect_id
