-- A new version for what is new or said differently by a record that is not older. A rejected one
-- that undoes what an earlier version brought to the org is sent; where there is nothing, it is not.
-- Operations that still wait and have a newer version now are superseded; but a deletion that was
-- sent once stays, as it may have been done. All is counted by day.
WITH compared AS (
    SELECT
        s.*,
        latest.operation_id AS known_operation_id,
        latest.version AS known_version,
        latest.content_hash = s.content_hash AND (
            latest.person_key IS NOT DISTINCT FROM s.person_key OR s.rejected_because IS NOT NULL
        ) AS is_same,
        latest.version IS NOT NULL AND (
            (
                latest.content_hash = s.content_hash
                AND (
                    latest.person_key IS NOT DISTINCT FROM s.person_key
                    OR s.rejected_because IS NOT NULL
                )
            )
            -- What had vanished from the source is not newer than what comes back.
            OR (latest.as_of > s.as_of AND NOT coalesce(latest.memory ? 'vanished', false))
        ) AS unchanged,
        coalesce(sent.is_there, false) AS is_there,
        s.undoes AND coalesce(sent.is_there, false) AS gone
    FROM staged_intent AS s
    LEFT JOIN LATERAL (
        SELECT o.operation_id, o.version, o.content_hash, o.person_key, o.as_of, o.memory
        FROM crm.operation AS o
        WHERE o.account_id = :account_id AND o.natural_key = s.natural_key
        ORDER BY o.version DESC
        LIMIT 1
    ) AS latest ON true
    LEFT JOIN LATERAL (
        SELECT NOT e.gone AS is_there
        FROM crm.operation AS e
        WHERE
            (s.undoes OR s.rejected_because IS NOT NULL)
            AND e.account_id = :account_id
            AND e.natural_key = s.natural_key
            AND (e.state IN ('done', 'in_flight') OR e.sent_at IS NOT NULL)
        ORDER BY e.version DESC
        LIMIT 1
    ) AS sent ON true
),

-- By arrays of ids: an estimate of many would have the planner read all operations that there are.
superseded AS (
    UPDATE crm.operation AS o
    SET state = 'superseded', reason_code = NULL, finished_at = now()
    WHERE
        o.operation_id = any(
            ARRAY(
                SELECT older.operation_id
                FROM compared AS c
                CROSS JOIN LATERAL (
                    SELECT w.operation_id
                    FROM crm.operation AS w
                    WHERE
                        w.account_id = :account_id
                        AND w.natural_key = c.natural_key
                        AND w.state IN ('pending', 'failed', 'exhausted', 'rejected', 'left_out')
                        AND (
                            w.content_hash <> c.content_hash
                            OR (
                                c.rejected_because IS NULL
                                AND w.person_key IS DISTINCT FROM c.person_key
                            )
                        )
                        AND (w.as_of <= c.as_of OR coalesce(w.memory ? 'vanished', false))
                        AND NOT (w.gone AND w.sent_at IS NOT NULL)
                    OFFSET 0
                ) AS older
                WHERE c.known_version IS NOT NULL
            )
        )
),

said_again AS (
    -- The same, said later: what is older than that stays older. Or remembered otherwise.
    UPDATE crm.operation AS o
    SET
        as_of = greatest(o.as_of, c.as_of),
        memory = coalesce(c.memory, nullif(o.memory - 'vanished', '{}'))
    FROM compared AS c
    WHERE
        c.is_same
        AND o.operation_id = c.known_operation_id
        AND o.operation_id = any(
            ARRAY(SELECT k.known_operation_id FROM compared AS k WHERE k.is_same)
        )
        AND (
            o.as_of < c.as_of
            OR (c.memory IS NOT NULL AND o.memory IS DISTINCT FROM c.memory)
            OR (c.memory IS NULL AND o.memory ? 'vanished')
        )
),

recorded AS (
    INSERT INTO crm.operation (
        account_id, flow, kind, natural_key, version, person_key, as_of, content_hash, intent,
        memory, gone, attempts, attempts_left, state, reason, read_by, finished_at
    )
    SELECT
        :account_id,
        :flow,
        c.kind,
        c.natural_key,
        greatest(
            coalesce(c.known_version, 0),
            -- An older copy of the ledger does not know what the platform was told since.
            CASE
                WHEN c.kind = 'message' THEN (
                    SELECT m.versions_from FROM crm.ledger_mark AS m WHERE m.account_id = :account_id
                )
            END
        ) + 1,
        c.person_key,
        c.as_of,
        c.content_hash,
        c.intent,
        c.memory,
        c.gone,
        coalesce(tries.of_topic, 5),
        coalesce(tries.of_topic, 5),
        CASE WHEN c.rejected_because IS NULL OR c.gone THEN 'pending' ELSE 'rejected' END,
        c.rejected_because,
        :cycle_id,
        CASE WHEN c.rejected_because IS NOT NULL AND NOT c.gone THEN now() END
    FROM compared AS c
    -- Records have the tries of their topic, where these are others than usual.
    CROSS JOIN LATERAL (
        SELECT CASE WHEN c.kind = 'record' THEN CAST(c.intent ->> 'attempts' AS smallint) END
            AS of_topic
    ) AS tries
    WHERE NOT c.unchanged
    ORDER BY c.as_of, c.natural_key
    RETURNING 1
),

counted AS (
    INSERT INTO daily.reading AS n (
        account_id, day, flow, kind, rejected_because, filter, new, changed, known
    )
    SELECT
        :account_id,
        daily.of(now()),
        :flow,
        c.kind,
        CASE WHEN c.gone THEN '' ELSE coalesce(c.rejected_because, '') END AS why,
        CASE WHEN c.gone THEN '' ELSE coalesce(c.memory ->> 'filter', '') END AS filter,
        count(*) FILTER (WHERE NOT c.unchanged AND c.known_version IS NULL),
        count(*) FILTER (WHERE NOT c.unchanged AND c.known_version IS NOT NULL),
        count(*) FILTER (WHERE c.unchanged)
    FROM compared AS c
    GROUP BY c.kind, why, filter
    ON CONFLICT (account_id, day, flow, kind, rejected_because, filter) DO UPDATE
    SET
        new = n.new + excluded.new,
        changed = n.changed + excluded.changed,
        known = n.known + excluded.known
)

SELECT
    kind,
    CASE WHEN NOT gone THEN rejected_because END AS rejected_because,
    count(*) FILTER (WHERE unchanged) AS unchanged,
    count(*) FILTER (WHERE NOT unchanged AND known_version IS NULL) AS new,
    count(*) FILTER (WHERE NOT unchanged AND known_version IS NOT NULL) AS changed,
    count(*) FILTER (
        WHERE NOT unchanged AND is_there AND NOT gone AND rejected_because IS NOT NULL
    ) AS staying,
    (SELECT count(*) FROM recorded) AS recorded
FROM compared
GROUP BY kind, CASE WHEN NOT gone THEN rejected_because END
