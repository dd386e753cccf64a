-- What the Contacts of these Accounts have together: the tags of all their prospects, with the
-- earliest time and the sum of times; of scores and temperature the medians, the mean of the middle
-- two where the number is even, and of grades the one that most of them have, of several the first
-- by the alphabet. A Contact has a score, a temperature, of the prospect that changed last; one
-- without a value does not count.
WITH contact AS (
    SELECT
        e.org_account,
        e.salesforce_id,
        p.prospect_id,
        p.as_of,
        p.columns ->> 'temperature' AS temperature,
        p.tags,
        p.scores
    FROM crm.engagement_person AS e
    INNER JOIN crm.prospect AS p ON e.account_id = p.account_id AND e.email = p.email
    WHERE
        e.account_id = :account_id
        AND e.org_account = any(CAST(:org_accounts AS text []))
        AND e.sobject = 'Contact'
        AND e.is_there
        AND p.is_active
        AND NOT p.is_gone
),

tag AS (
    SELECT DISTINCT
        c.org_account,
        c.prospect_id,
        t.tag_id,
        t.said ->> 'since' AS since,
        t.said ->> 'times' AS times
    FROM contact AS c
    CROSS JOIN LATERAL jsonb_each(c.tags) AS t (tag_id, said)
),

score AS (
    SELECT DISTINCT ON (c.org_account, c.salesforce_id, s.score_id)
        c.org_account,
        s.score_id,
        s.said ->> 'value' AS value,
        s.said ->> 'grade' AS grade
    FROM contact AS c
    CROSS JOIN LATERAL jsonb_each(c.scores) AS s (score_id, said)
    ORDER BY
        c.org_account ASC, c.salesforce_id ASC, s.score_id ASC, c.as_of DESC, c.prospect_id DESC
),

warmth AS (
    SELECT DISTINCT ON (c.org_account, c.salesforce_id)
        c.org_account,
        c.temperature
    FROM contact AS c
    ORDER BY c.org_account ASC, c.salesforce_id ASC, c.as_of DESC, c.prospect_id DESC
)

SELECT
    t.org_account,
    'tag' AS kind,
    t.tag_id AS given_id,
    jsonb_build_object(
        'since', min(t.since COLLATE "C"),
        'times', sum(CAST(t.times AS bigint)) FILTER (WHERE t.times ~ '^[0-9]{1,15}$')
    ) AS said
FROM tag AS t
GROUP BY t.org_account, t.tag_id
UNION ALL
SELECT
    s.org_account,
    'score' AS kind,
    s.score_id AS given_id,
    jsonb_build_object(
        'value',
        percentile_cont(0.5) WITHIN GROUP (ORDER BY CAST(s.value AS double precision))
        FILTER (WHERE s.value ~ '^[+-]?[0-9]{1,18}([.][0-9]+)?$'),
        'grade', mode() WITHIN GROUP (ORDER BY s.grade COLLATE "C")
    ) AS said
FROM score AS s
GROUP BY s.org_account, s.score_id
UNION ALL
SELECT
    w.org_account,
    'temperature' AS kind,
    '' AS given_id,
    jsonb_build_object(
        'temperature',
        percentile_cont(0.5) WITHIN GROUP (ORDER BY CAST(w.temperature AS double precision))
        FILTER (WHERE w.temperature ~ '^[+-]?[0-9]{1,18}([.][0-9]+)?$')
    ) AS said
FROM warmth AS w
GROUP BY w.org_account
