-- Keeps back what is to be sent, but for what is about some people, and the campaigns that they
-- are to be in.
UPDATE crm.operation AS o
SET state = 'held'
WHERE
    o.account_id = :account_id
    AND o.state = 'pending'
    AND o.kind <> 'message'
    AND (o.person_key IS NULL OR o.person_key <> all(CAST(:people AS bigint [])))
    AND NOT (
        o.kind = 'campaign'
        AND EXISTS (
            SELECT FROM crm.operation AS m
            WHERE
                m.account_id = o.account_id
                AND m.state = 'pending'
                AND m.kind = 'member'
                AND m.person_key = any(CAST(:people AS bigint []))
                AND o.natural_key = 'campaign:' || crm.campaign_key(m.intent)
        )
    )
