-- Keeps back all that a plan would list, but for what is about some people, the activities of some rows,
-- and the campaigns that the people are to be in, with those above these.
WITH RECURSIVE wanted AS (
    SELECT crm.campaign_key(m.intent) AS campaign_key
    FROM crm.operation AS m
    WHERE
        m.account_id = :account_id
        AND m.state IN ('pending', 'failed', 'exhausted')
        AND m.kind = 'member'
        AND m.person_key = any(CAST(:people AS bigint []))
    UNION
    SELECT below.intent ->> 'parent'
    FROM wanted AS w
    INNER JOIN crm.operation AS below
        ON
            below.account_id = :account_id
            AND below.natural_key = 'campaign:' || w.campaign_key
            AND below.state IN ('pending', 'failed', 'exhausted')
    WHERE below.intent ->> 'parent' IS NOT NULL
)

UPDATE crm.operation AS o
SET state = 'held'
WHERE
    o.account_id = :account_id
    AND (
        o.state IN ('pending', 'in_flight', 'failed', 'exhausted')
        OR (o.state IN ('left_out', 'rejected') AND o.read_by = :cycle_id)
    )
    AND o.kind <> 'message'
    AND (o.person_key IS NULL OR o.person_key <> all(CAST(:people AS bigint [])))
    AND o.natural_key <> all(CAST(:rows AS text []))
    AND NOT (
        o.kind = 'campaign'
        AND o.natural_key IN (SELECT 'campaign:' || w.campaign_key FROM wanted AS w)
    )
