-- Made of ../../engagement/prospects.sql by `make extracts`: there it says what this is for, and
-- what it must give.
WITH changed AS (
    SELECT
        c.prospect_id,
        MAX(c.shipped_at) AS changed_at
    FROM (
        SELECT
            p.prospect_id,
            p.shipped_at
        FROM warehouse.prospect AS p
        WHERE
            p.client_id = :client_id AND p.shipped_at > :since
        UNION ALL
        SELECT
            t.prospect_id,
            t.shipped_at
        FROM warehouse.prospect_tag AS t
        WHERE
            t.client_id = :client_id AND t.shipped_at > :since
        UNION ALL
        SELECT
            s.prospect_id,
            s.shipped_at
        FROM warehouse.prospect_score AS s
        WHERE
            s.client_id = :client_id AND s.shipped_at > :since
    ) AS c
    WHERE
        CAST(:prospect_ids AS TEXT[]) IS NULL OR c.prospect_id = ANY(
            CAST(:prospect_ids AS TEXT[])
        )
    GROUP BY
        c.prospect_id
), tagged AS (
    SELECT
        t.prospect_id,
        json_group_object(t.tag_id, json_object('since', CAST(t.since AS TIMESTAMPTZ), 'times', t.times)) AS tags
    FROM changed AS c
    INNER JOIN warehouse.prospect_tag AS t
        ON t.client_id = :client_id AND c.prospect_id = t.prospect_id
    GROUP BY
        t.prospect_id
), scored AS (
    SELECT
        s.prospect_id,
        json_group_object(s.score_id, json_object('value', s.value, 'grade', s.grade)) AS scores
    FROM changed AS c
    INNER JOIN warehouse.prospect_score AS s
        ON s.client_id = :client_id AND c.prospect_id = s.prospect_id
    GROUP BY
        s.prospect_id
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
    COALESCE(tagged.tags, CAST('{}' AS JSON)) AS tags,
    COALESCE(scored.scores, CAST('{}' AS JSON)) AS scores,
    c.changed_at
FROM changed AS c
INNER JOIN warehouse.prospect AS p
    ON p.client_id = :client_id AND c.prospect_id = p.prospect_id
LEFT JOIN tagged
    ON c.prospect_id = tagged.prospect_id
LEFT JOIN scored
    ON c.prospect_id = scored.prospect_id
ORDER BY
    c.changed_at,
    p.prospect_id
