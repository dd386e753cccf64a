-- Keeps back what is to be sent, but for what is about some people, and the campaigns that they
-- are to be in, with those above these.
WITH RECURSIVE wanted AS (
    SELECT crm.campaign_key(m.intent) AS campaign_key
    FROM crm.operation AS m
    WHERE
        m.account_id = :account_id
        AND m.state = 'pending'
        AND m.kind = 'member'
        AND m.person_key = any(CAST(:people AS bigint []))
    UNION
    SELECT below.intent ->> 'parent'
    FROM wanted AS w
    INNER JOIN crm.operation AS below
        ON
            below.account_id = :account_id
            AND below.natural_key = 'campaign:' || w.campaign_key
            AND below.state = 'pending'
    WHERE below.intent ->> 'parent' IS NOT NULL
)

UPDATE crm.operation AS o
SET state = 'held'
WHERE
    o.account_id = :account_id
    AND o.state = 'pending'
    AND o.kind <> 'message'
    AND (o.person_key IS NULL OR o.person_key <> all(CAST(:people AS bigint [])))
    AND NOT (
        o.kind = 'campaign'
        AND o.natural_key IN (SELECT 'campaign:' || w.campaign_key FROM wanted AS w)
    )
