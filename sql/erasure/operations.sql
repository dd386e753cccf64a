-- The operations about some people, and those of others that name one of their addresses: what is
-- open or left out, and what was read in the last days. Earlier texts are the nightly scan's.
WITH candidate AS (
    SELECT operation_id FROM crm.operation
    WHERE person_key = any(CAST(:person_keys AS bigint []))
    UNION
    SELECT o.operation_id
    FROM crm.record AS r
    INNER JOIN crm.operation AS o
        ON r.account_id = o.account_id AND r.natural_key = o.natural_key
    WHERE
        r.account_id = :account_id
        AND r.ref_keys && ARRAY(
            SELECT 'person:' || k FROM unnest(CAST(:person_keys AS bigint [])) AS k
        )
    UNION
    SELECT operation_id FROM crm.operation
    WHERE
        account_id = :account_id AND state IN ('pending', 'held', 'in_flight', 'failed', 'exhausted')
    UNION
    SELECT operation_id FROM crm.operation
    WHERE account_id = :account_id AND state IN ('left_out', 'dropped')
    UNION
    SELECT operation_id FROM crm.operation
    WHERE
        account_id = :account_id
        AND read_by = any(ARRAY(
            SELECT c.cycle_id FROM crm.cycle AS c
            WHERE
                c.account_id = :account_id
                AND c.started_at > now() - make_interval(days => CAST(:texts_days AS integer))
        ))
)

SELECT
    named.operation_id,
    named.kind,
    named.natural_key,
    named.is_unsure,
    named.is_about,
    named.sent_at,
    named.version = (
        SELECT max(n.version) FROM crm.operation AS n
        WHERE n.account_id = :account_id AND n.natural_key = named.natural_key
    ) AS is_latest
FROM (
    SELECT
        o.operation_id,
        o.kind,
        o.natural_key,
        -- Also those that were withdrawn while they had no answer.
        o.state = 'in_flight' OR (o.state = 'dropped' AND o.reason = :reason) AS is_unsure,
        o.version,
        coalesce(o.sent_at, now()) AS sent_at,
        coalesce(o.person_key = any(CAST(:person_keys AS bigint [])), false)
        OR o.kind = 'record' AND EXISTS (
            SELECT FROM jsonb_each_text(o.intent -> 'refs') AS r
            WHERE r.value = any(
                SELECT 'person:' || k FROM unnest(CAST(:person_keys AS bigint [])) AS k
            )
        )
        OR o.kind IN ('message', 'record', 'undo') AND said.names AS is_about,
        said.names
    FROM crm.operation AS o
    CROSS JOIN LATERAL (
        SELECT EXISTS (
            SELECT FROM unnest(CAST(:addresses AS text [])) AS a
            WHERE
                position(a IN lower(CAST(o.intent AS text))) > 0
                OR position(a IN lower(coalesce(CAST(o.sent AS text), ''))) > 0
                OR position(a IN lower(coalesce(o.error_message, ''))) > 0
        ) AS names
    ) AS said
    WHERE
        o.account_id = :account_id
        -- No join, which the planner could make a read of all.
        AND o.operation_id = any(ARRAY(SELECT operation_id FROM candidate))
) AS named
WHERE named.is_about OR named.names
