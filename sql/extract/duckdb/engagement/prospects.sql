-- ../../engagement/prospects.sql for DuckDB, which names what makes JSON otherwise. Parameters and
-- contract as there.
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
    coalesce(tags.of_prospect, '{}') AS tags,
    coalesce(scores.of_prospect, '{}') AS scores,
    c.changed_at
FROM changed AS c
INNER JOIN warehouse.prospect AS p
    ON p.client_id = :client_id AND c.prospect_id = p.prospect_id
LEFT JOIN LATERAL (
    SELECT
        json_group_object(
            t.tag_id, json_object('since', t.since, 'times', t.times)
        ) AS of_prospect
    FROM warehouse.prospect_tag AS t
    WHERE t.client_id = :client_id AND t.prospect_id = p.prospect_id
) AS tags ON true
LEFT JOIN LATERAL (
    SELECT
        json_group_object(
            s.score_id, json_object('value', s.value, 'grade', s.grade)
        ) AS of_prospect
    FROM warehouse.prospect_score AS s
    WHERE s.client_id = :client_id AND s.prospect_id = p.prospect_id
) AS scores ON true
ORDER BY c.changed_at, p.prospect_id
