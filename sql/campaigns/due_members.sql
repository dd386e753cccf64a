-- Members to be sent, oldest first: their person is in the org and their event's campaign is
-- linked. A membership that was sent for another record (a converted lead) says for which one; and
-- each which statuses it has from us: the last one, and those whose answers were lost since.
--
-- What is in the way is gathered once (`IN`), and the rest found by key, one member after another
-- (`OFFSET 0`). Where there are no statistics yet, PostgreSQL else compares all with all: 10 s for
-- 10,000 members.
SELECT
    o.operation_id,
    o.person_key,
    o.intent,
    c.campaign_id,
    c.is_new,
    c.missing_statuses,
    i.sobject AS person_sobject,
    i.salesforce_id AS person_id,
    m.person_id AS former_person_id,
    coalesce(former.statuses, '{}') AS former_statuses,
    coalesce(o.action = 'create' AND o.sent_at IS NOT NULL AND o.error_code IS NULL, false)
        AS is_unanswered
FROM crm.operation AS o
CROSS JOIN LATERAL (
    SELECT known.sobject, known.salesforce_id
    FROM crm.identity AS known
    WHERE known.account_id = o.account_id AND known.person_key = o.person_key
    OFFSET 0
) AS i
INNER JOIN crm.event_campaign AS c
    ON o.account_id = c.account_id AND crm.campaign_key(o.intent) = c.campaign_key
LEFT JOIN LATERAL (
    SELECT sent.person_id
    FROM crm.campaign_member AS sent
    WHERE
        sent.account_id = o.account_id
        AND sent.campaign_key = c.campaign_key
        AND sent.person_key = o.person_key
    OFFSET 0
) AS m ON true
LEFT JOIN LATERAL (
    SELECT array_agg(given.status) FILTER (WHERE NOT given.gone) AS statuses
    FROM (
        SELECT
            earlier.intent ->> 'Status' AS status,
            earlier.gone,
            earlier.version,
            max(earlier.version) FILTER (WHERE earlier.state = 'done') OVER () AS last_done
        FROM crm.operation AS earlier
        WHERE
            o.version > 1
            AND earlier.account_id = o.account_id
            AND earlier.natural_key = o.natural_key
            AND earlier.version < o.version
            AND (
                earlier.state = 'done'
                OR (earlier.sent_at IS NOT NULL AND earlier.error_code IS NULL)
            )
        OFFSET 0
    ) AS given
    WHERE given.version >= coalesce(given.last_done, 0)
) AS former ON true
WHERE
    o.account_id = :account_id
    AND o.kind = 'member'
    AND o.state = 'pending'
    AND NOT o.gone
    AND o.operation_id > :after
    AND 'campaign:' || c.campaign_key NOT IN (
        SELECT link.natural_key
        FROM crm.operation AS link
        WHERE
            link.account_id = :account_id
            AND link.kind = 'campaign'
            AND link.state IN ('pending', 'held', 'in_flight', 'failed', 'exhausted')
    )
    -- Not while an earlier version has no outcome, or is still to be deleted.
    -- By the unique key: without statistics the planner would scan all that is open instead.
    AND NOT (
        o.version > 1
        AND 'in_flight' IN (
            SELECT
                CASE
                    WHEN f.gone AND f.version < o.version AND f.state IN ('pending', 'failed')
                        THEN 'in_flight'
                    ELSE f.state
                END
            FROM crm.operation AS f
            WHERE f.account_id = o.account_id AND f.natural_key = o.natural_key
            OFFSET 0
        )
    )
ORDER BY o.operation_id
LIMIT :limit
