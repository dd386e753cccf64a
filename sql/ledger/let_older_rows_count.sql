-- People of whom some of :rows do not count any more, as these count for another person (or nobody) now,
-- which is no older than what is known of them: what a flow said of these people is no newer than the
-- newest of their rows that are left, whatever was said before. What other flows want of them keeps its
-- time. Returns these newest rows.
WITH lost AS (
    SELECT k.natural_key, coalesce(was.successor, was.person_key) AS person_key
    FROM
        jsonb_to_recordset(CAST(:rows AS jsonb)) AS k (
            natural_key text, person_key bigint, as_of timestamptz
        )
    CROSS JOIN LATERAL (
        SELECT o.person_key, o.as_of
        FROM crm.operation AS o
        WHERE o.account_id = :account_id AND o.natural_key = k.natural_key
        ORDER BY o.version DESC
        LIMIT 1
    ) AS latest
    INNER JOIN crm.person AS was ON latest.person_key = was.person_key
    WHERE
        latest.as_of <= k.as_of
        AND k.person_key IS DISTINCT FROM coalesce(was.successor, was.person_key)
),

heard AS MATERIALIZED (
    SELECT l.person_key, newest.natural_key, coalesce(newest.at, '1700-01-01') AS at
    FROM (SELECT DISTINCT person_key FROM lost) AS l
    LEFT JOIN LATERAL (
        SELECT
            o.natural_key,
            least(o.as_of, CAST(o.intent ->> 'ActivityDateTime' AS timestamptz)) AS at
        FROM crm.operation AS o
        WHERE
            o.account_id = :account_id
            AND o.person_key = any(
                ARRAY(
                    SELECT p.person_key
                    FROM crm.person AS p
                    WHERE p.account_id = :account_id AND l.person_key IN (p.person_key, p.successor)
                )
            )
            AND o.kind = 'activity'
            AND o.flow = :flow
            AND o.natural_key <> all(ARRAY(SELECT natural_key FROM lost))
            AND NOT EXISTS (
                SELECT FROM crm.operation AS newer
                WHERE
                    newer.account_id = o.account_id
                    AND newer.natural_key = o.natural_key
                    AND newer.version > o.version
            )
        ORDER BY at DESC, o.natural_key
        LIMIT 1
    ) AS newest ON true
),

said AS (
    SELECT
        o.operation_id,
        h.person_key,
        by_flow.times || jsonb_build_object(
            CAST(:flow AS text), least(CAST(by_flow.times ->> CAST(:flow AS text) AS timestamptz), h.at)
        ) AS times
    FROM heard AS h
    INNER JOIN crm.operation AS o
        ON o.account_id = :account_id AND 'person:' || h.person_key = o.natural_key
    CROSS JOIN LATERAL (
        SELECT coalesce(o.memory -> 'said', jsonb_build_object(o.flow, o.as_of)) AS times
    ) AS by_flow
),

lowered AS (
    UPDATE crm.operation AS o
    SET
        as_of = newest.at,
        memory = CASE
            WHEN o.memory ? 'said' THEN jsonb_set(o.memory, '{said}', s.times)
            ELSE o.memory
        END
    FROM said AS s
    CROSS JOIN LATERAL (
        SELECT max(CAST(t.value AS timestamptz)) AS at FROM jsonb_each_text(s.times) AS t
    ) AS newest
    WHERE o.operation_id = s.operation_id AND newest.at <= o.as_of
    RETURNING o.person_key, o.as_of
),

known AS (
    UPDATE crm.identity AS i
    SET as_of = least(i.as_of, l.as_of)
    FROM (SELECT person_key, max(as_of) AS as_of FROM lowered GROUP BY person_key) AS l
    WHERE i.account_id = :account_id AND i.person_key = l.person_key
)

SELECT natural_key FROM heard
WHERE natural_key IS NOT NULL
