-- Of these records an older copy does not know what our user wrote last. Campaigns, memberships and
-- activities are looked at again, as those are that are found in the org (bring_up_to_date); an activity
-- that we deleted is gone for what is wanted now. So are records by a key
-- of ours; their fields say `{}`, which no value is alike (doubt_records). But what is taken back here is
-- known, and is not sent again; nor is what the copy's own cycles wrote last, as after a restart of the
-- server, which nobody can tell from an older copy. By seconds: no cycle that was lost wrote to a record
-- in that very one.
WITH looked_through AS (
    UPDATE crm.ledger_mark
    SET looked_through = true, written_by = pg_current_xact_id()::text::bigint
    WHERE account_id = :account_id
),

of_cycles AS (
    -- Until when each cycle wrote, by the org's clock.
    SELECT
        s.cycle_id,
        max(s.org_ended_at) AS ended_at
    FROM crm.sending AS s
    WHERE s.account_id = :account_id
    GROUP BY s.cycle_id
),

written AS (
    SELECT w.salesforce_id
    FROM
        unnest(CAST(:salesforce_ids AS text []), CAST(:moments AS timestamptz []))
            AS w (salesforce_id, moment)
    WHERE NOT EXISTS (
        SELECT FROM crm.operation AS o
        INNER JOIN of_cycles AS c ON o.sent_by = c.cycle_id
        WHERE
            o.account_id = :account_id
            AND o.salesforce_id = w.salesforce_id
            AND c.ended_at >= w.moment
    )
    AND NOT EXISTS (
        SELECT FROM crm.operation AS u
        WHERE
            u.account_id = :account_id
            AND u.kind = 'undo'
            AND u.state IN ('pending', 'held', 'in_flight', 'failed', 'done')
            AND u.action IS DISTINCT FROM 'none'
            AND u.intent ->> 'id' = w.salesforce_id
    )
),

looked_at AS (
    UPDATE crm.latest_version AS o
    SET state = 'pending'
    WHERE
        o.account_id = :account_id
        AND (
            o.kind IN ('campaign', 'member')
            OR (
                o.kind = 'record'
                AND o.intent ->> 'id' IS NULL
                -- Of one that is no more the sweep tells, by what its flow does then.
                AND NOT o.salesforce_id = any(CAST(:deleted AS text []))
            )
        )
        AND o.state = 'done'
        AND o.salesforce_id = any(ARRAY(SELECT w.salesforce_id FROM written AS w))
),

records AS (
    UPDATE crm.record AS r
    SET
        last = (
            SELECT coalesce(jsonb_object_agg(f.name, '{}'::jsonb), '{}')
            FROM jsonb_object_keys(r.last) AS f (name)
        )
    WHERE
        r.account_id = :account_id
        AND right(r.sobject, 3) = '__c'
        AND r.salesforce_id = any(ARRAY(SELECT w.salesforce_id FROM written AS w))
),

activities AS (
    UPDATE crm.operation AS o
    SET intent = '{}', person_key = NULL, gone = o.salesforce_id = any(CAST(:deleted AS text []))
    WHERE
        o.account_id = :account_id
        AND o.kind = 'activity'
        AND o.state = 'done'
        AND NOT o.gone
        AND o.salesforce_id = any(ARRAY(SELECT w.salesforce_id FROM written AS w))
)

INSERT INTO crm.operation (
    account_id, flow, kind, natural_key, version, person_key, as_of, content_hash, intent, memory
)
SELECT
    l.account_id,
    o.flow,
    o.kind,
    o.natural_key,
    o.version + 1,
    o.person_key,
    o.as_of,
    o.content_hash,
    o.intent,
    o.memory
FROM crm.latest_version AS l
INNER JOIN crm.operation AS o ON l.operation_id = o.operation_id
WHERE
    l.account_id = :account_id
    AND l.kind = 'activity'
    AND l.state = 'done'
    AND NOT o.gone
    AND o.intent <> '{}'
    AND l.salesforce_id = any(ARRAY(SELECT w.salesforce_id FROM written AS w))
