-- People who are left out are looked up again as soon as something new is about them (or now, all of
-- them), with what waits for them; and so goes on what is about people who are out no more. Kinds that
-- the account has off stay as they are until it has them on; records follow what they refer to. Members
-- of a campaign that was dropped go on once their event has another, or its campaign is to be made again.
WITH again AS (
    UPDATE crm.operation AS p
    SET state = 'pending', reason_code = NULL, finished_at = NULL
    WHERE
        p.account_id = :account_id
        AND p.state = 'left_out'
        AND p.kind = 'person'
        AND (
            :all_of_them
            OR EXISTS (
                SELECT FROM crm.operation AS o
                WHERE
                    o.account_id = p.account_id
                    AND o.person_key = p.person_key
                    AND o.kind <> 'person'
                    AND o.state = 'pending'
            )
            OR p.natural_key IN (
                SELECT ref.value
                FROM crm.operation AS r
                CROSS JOIN LATERAL jsonb_each_text(r.intent -> 'refs') AS ref
                WHERE r.account_id = :account_id AND r.kind = 'record' AND r.state = 'pending'
            )
        )
    RETURNING p.person_key
)

UPDATE crm.operation AS o
SET state = 'pending', reason_code = NULL, finished_at = NULL
WHERE
    o.account_id = :account_id
    AND o.kind = any(CAST(:kinds AS text []))
    AND o.state = 'left_out'
    AND (
        o.person_key IN (SELECT a.person_key FROM again AS a)
        OR EXISTS (
            SELECT FROM crm.identity AS i
            WHERE i.account_id = o.account_id AND i.person_key = o.person_key
        )
        OR NOT EXISTS (
            SELECT FROM crm.operation AS p
            WHERE
                p.account_id = o.account_id
                AND p.person_key = o.person_key
                AND p.kind = 'person'
                AND p.state IN ('left_out', 'dropped')
                AND NOT EXISTS (
                    SELECT FROM crm.operation AS newer
                    WHERE
                        newer.account_id = p.account_id
                        AND newer.natural_key = p.natural_key
                        AND newer.version > p.version
                )
        )
    )
    AND NOT (
        o.reason_code = 'CAMPAIGN_DROPPED'
        AND EXISTS (
            SELECT FROM crm.operation AS c
            WHERE
                c.account_id = o.account_id
                AND c.natural_key = 'campaign:' || crm.campaign_key(o.intent)
                AND c.state = 'dropped'
                AND NOT EXISTS (
                    SELECT FROM crm.operation AS newer
                    WHERE
                        newer.account_id = c.account_id
                        AND newer.natural_key = c.natural_key
                        AND newer.version > c.version
                )
        )
        AND NOT EXISTS (
            SELECT FROM crm.event_campaign AS linked
            WHERE
                linked.account_id = o.account_id
                AND linked.campaign_key = crm.campaign_key(o.intent)
        )
    )
