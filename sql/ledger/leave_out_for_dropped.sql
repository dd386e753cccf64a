-- Leaves out operations about people whom an operator dropped, until these are there, and members of
-- events whose campaign an operator dropped, until they have one.
WITH dropped AS MATERIALIZED (
    SELECT d.operation_id, d.kind, d.natural_key, d.person_key
    FROM crm.operation AS d
    WHERE
        d.account_id = :account_id
        AND d.state = 'dropped'
        AND d.kind IN ('person', 'campaign')
        AND NOT EXISTS (
            SELECT FROM crm.operation AS newer
            WHERE
                newer.account_id = d.account_id
                AND newer.natural_key = d.natural_key
                AND newer.version > d.version
        )
),

about AS (
    SELECT o.operation_id, 'PERSON_DROPPED' AS code, 'its person was dropped by an operator' AS reason
    FROM dropped AS p
    INNER JOIN crm.operation AS o
        ON
            o.account_id = :account_id
            AND p.person_key = o.person_key
            AND o.kind <> 'person'
            AND o.state = 'pending'
    WHERE
        p.kind = 'person'
        AND NOT EXISTS (
            SELECT FROM crm.identity AS i
            WHERE i.account_id = :account_id AND i.person_key = p.person_key
        )
    UNION ALL
    SELECT o.operation_id, 'CAMPAIGN_DROPPED' AS code, 'its campaign was dropped by an operator' AS reason
    FROM dropped AS c
    INNER JOIN crm.operation AS o
        ON
            o.account_id = :account_id
            AND o.kind = 'member'
            AND o.state = 'pending'
            AND c.natural_key = 'campaign:' || crm.campaign_key(o.intent)
    WHERE
        c.kind = 'campaign'
        AND NOT EXISTS (
            SELECT FROM crm.event_campaign AS linked
            WHERE
                linked.account_id = :account_id
                AND c.natural_key = 'campaign:' || linked.campaign_key
        )
)

UPDATE crm.operation AS o
SET state = 'left_out', reason_code = a.code, reason = a.reason, finished_at = clock_timestamp()
FROM about AS a
WHERE o.operation_id = a.operation_id
