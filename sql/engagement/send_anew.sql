-- All that is held of some prospects (:prospect_ids; none: of all that these topics hold), of the
-- people with their addresses and of the Accounts and Opportunities that they count for: where
-- :really, it is sent again with all of its fields, and so is what was refused. Returns how many
-- records that are. Of an event nothing is held: it is published again as it was.
WITH prospect AS (
    SELECT p.prospect_id, p.email, p.tags, p.scores
    FROM crm.prospect AS p
    WHERE p.account_id = :account_id AND p.prospect_id = any(CAST(:prospect_ids AS text []))
),

person AS (
    SELECT e.salesforce_id, e.org_account
    FROM crm.engagement_person AS e
    WHERE e.account_id = :account_id AND e.email IN (SELECT p.email FROM prospect AS p)
),

root AS (
    SELECT 'prospect:' || p.prospect_id AS natural_key FROM prospect AS p
    UNION
    SELECT 'tag:' || given.tag FROM prospect AS p, jsonb_object_keys(p.tags) AS given (tag)
    UNION
    SELECT 'score:' || given.score FROM prospect AS p, jsonb_object_keys(p.scores) AS given (score)
    UNION
    SELECT 'engaged:' || e.salesforce_id FROM person AS e
    UNION
    SELECT 'aggregated:' || a.salesforce_id
    FROM crm.engagement_aggregate AS a
    WHERE
        a.account_id = :account_id
        AND a.org_account IN (SELECT e.org_account FROM person AS e)
),

chosen AS (
    SELECT r.natural_key FROM root AS r
    UNION
    SELECT o.natural_key
    FROM root AS r
    INNER JOIN crm.operation AS o
        ON
            o.account_id = :account_id
            AND o.kind = 'record'
            AND o.intent ->> 'parent' = r.natural_key
    UNION
    SELECT h.natural_key
    FROM crm.record AS h
    WHERE
        CAST(:prospect_ids AS text []) IS NULL
        AND h.account_id = :account_id
        AND h.topic = any(CAST(:topics AS text []))
    UNION
    SELECT o.natural_key
    FROM crm.operation AS o
    WHERE
        CAST(:prospect_ids AS text []) IS NULL
        AND o.account_id = :account_id
        AND o.kind = 'record'
        AND o.state IN ('failed', 'exhausted')
        AND o.intent ->> 'topic' = any(CAST(:topics AS text []))
),

latest AS MATERIALIZED (
    SELECT newest.operation_id, newest.natural_key, newest.intent
    FROM chosen AS c
    CROSS JOIN LATERAL (
        SELECT o.operation_id, o.natural_key, o.state, o.intent
        FROM crm.operation AS o
        WHERE o.account_id = :account_id AND o.natural_key = c.natural_key
        ORDER BY o.version DESC
        LIMIT 1
    ) AS newest
    WHERE
        newest.state IN ('failed', 'exhausted')
        OR (newest.state = 'done' AND newest.intent ->> 'fields' IS NOT NULL)
),

reopened AS (
    UPDATE crm.operation AS o
    SET
        state = 'pending',
        attempts_left = o.attempts,
        next_attempt_at = NULL,
        sobject = NULL,
        action = NULL,
        salesforce_id = NULL,
        sent = NULL
    FROM latest AS l
    WHERE :really AND o.operation_id = l.operation_id
),

doubted AS (
    UPDATE crm.record AS r
    SET
        last = r.last - ARRAY(SELECT jsonb_object_keys(nullif(l.intent -> 'fields', 'null'))),
        ref_fields = '{}',
        ref_keys = '{}',
        ref_ids = '{}'
    FROM latest AS l
    WHERE
        :really
        AND r.account_id = :account_id
        AND r.natural_key = l.natural_key
        AND NOT l.intent ? 'about'
)

SELECT count(*) AS number FROM latest
