-- People of whom it is not decided yet which record gets what, oldest first, with the record
-- that is known to stand for each, the addresses under which a version without outcome was created,
-- and the fields of all versions without outcome where the record that they went to is not known.
SELECT
    o.operation_id,
    o.natural_key,
    o.person_key,
    p.address,
    o.as_of,
    o.intent,
    i.sobject,
    i.salesforce_id,
    i.reason AS identity_reason,
    i.sent AS last_sent,
    coalesce(i.left_behind, '{}') AS left_behind,
    i.doubted,
    i.as_of AS last_as_of,
    i.address AS known_address,
    o.created_at AS read_at,
    CASE
        WHEN o.version = 1 OR i.person_key IS NOT NULL THEN '{}'
        ELSE ARRAY(
            SELECT v.intent #>> '{Lead,Email}'
            FROM crm.operation AS v
            WHERE
                v.account_id = o.account_id
                AND v.natural_key = o.natural_key
                -- With an outcome, the version has an Id or an error, or was decided anew.
                AND v.action = 'create'
                AND v.salesforce_id IS NULL
                AND v.error_code IS NULL
                AND v.sent_at IS NOT NULL
                AND v.intent #>> '{Lead,Email}' IS NOT NULL
            OFFSET 0
        )
    END AS sent_emails,
    CASE
        WHEN i.address = p.address OR (o.version = 1 AND p.address NOT LIKE 'tel:%') THEN NULL
        ELSE (
            SELECT
                jsonb_agg(
                    jsonb_build_object(
                        'is_creation', v.action IS NOT NULL, 'fields', v.intent -> v.sobject
                    ) ORDER BY v.version
                )
            FROM crm.operation AS v
            WHERE
                v.account_id = o.account_id
                AND v.natural_key = o.natural_key
                -- An update that went out as it was decided has no action until it is answered.
                AND (v.action IS NULL OR (v.action = 'create' AND i.person_key IS NULL))
                AND v.salesforce_id IS NULL
                AND v.error_code IS NULL
                AND v.sent_at IS NOT NULL
        )
    END AS unheard
FROM crm.operation AS o
INNER JOIN crm.person AS p ON o.person_key = p.person_key
LEFT JOIN crm.identity AS i
    ON o.account_id = i.account_id AND o.person_key = i.person_key
WHERE
    o.account_id = :account_id
    AND o.kind = 'person'
    AND o.state = 'pending'
    AND o.action IS DISTINCT FROM 'update'
    AND o.operation_id > :after
    AND p.address IS NOT NULL
    -- By the unique key: without statistics the planner would scan all that is open instead.
    AND NOT (
        o.version > 1
        AND 'in_flight' IN (
            SELECT f.state
            FROM crm.operation AS f
            WHERE f.account_id = o.account_id AND f.natural_key = o.natural_key
            OFFSET 0
        )
    )
ORDER BY o.operation_id
LIMIT :limit
