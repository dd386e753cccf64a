-- People took the records of these prospects out of the bin: all of them is wanted again; of those
-- that the source no longer has, the records are held again, and so deleted again.
WITH back AS (
    UPDATE crm.prospect AS p
    SET
        is_gone = p.left_source,
        is_due = true,
        deleted_record = CASE WHEN p.left_source THEN p.deleted_record END
    WHERE
        p.account_id = :account_id
        AND p.is_gone
        AND p.deleted_record = any(CAST(:salesforce_ids AS text []))
    RETURNING
        p.email,
        p.left_source,
        'prospect:' || p.prospect_id AS natural_key,
        p.deleted_record
),

latest AS (
    SELECT newest.*, b.deleted_record
    FROM back AS b
    CROSS JOIN LATERAL (
        SELECT o.operation_id, o.natural_key, o.intent, o.as_of
        FROM crm.operation AS o
        WHERE o.account_id = :account_id AND o.natural_key = b.natural_key
        ORDER BY o.version DESC
        LIMIT 1
    ) AS newest
    WHERE b.left_source
),

held AS (
    INSERT INTO crm.record (
        account_id, natural_key, topic, sobject, salesforce_id, last, ref_fields, ref_keys, ref_ids,
        as_of
    )
    SELECT
        :account_id,
        l.natural_key,
        l.intent ->> 'topic',
        l.intent ->> 'sobject',
        l.deleted_record,
        '{}',
        '{}',
        '{}',
        '{}',
        l.as_of
    FROM latest AS l
    ON CONFLICT DO NOTHING
),

again AS (
    UPDATE crm.operation AS o
    SET
        state = 'pending',
        attempts_left = o.attempts,
        sobject = NULL,
        action = NULL,
        salesforce_id = NULL,
        sent = NULL
    FROM latest AS l
    WHERE o.operation_id = l.operation_id AND o.state = 'done'
)

UPDATE crm.engagement_person AS e
SET is_due = true
WHERE e.account_id = :account_id AND e.email IN (SELECT b.email FROM back AS b)
