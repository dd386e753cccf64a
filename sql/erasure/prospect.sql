-- The person's prospects are gone: what is in the org of them is deleted, and nothing of it is kept.
WITH said AS (
    UPDATE crm.operation AS o
    SET intent = jsonb_set(o.intent, '{fields}', '{}'), sent = NULL
    FROM crm.prospect AS p
    WHERE
        p.account_id = :account_id
        AND p.email = any(CAST(:addresses AS text []))
        AND o.account_id = p.account_id
        AND o.natural_key = 'prospect:' || p.prospect_id
        AND o.intent ->> 'fields' IS NOT NULL
),

held AS (
    UPDATE crm.record AS r
    SET last = '{}'
    FROM crm.prospect AS p
    WHERE
        p.account_id = :account_id
        AND p.email = any(CAST(:addresses AS text []))
        AND r.account_id = p.account_id
        AND r.natural_key = 'prospect:' || p.prospect_id
)

UPDATE crm.prospect
SET
    email = NULL,
    columns = '{}',
    tags = '{}',
    scores = '{}',
    is_active = false,
    is_gone = true,
    is_due = true
WHERE account_id = :account_id AND email = any(CAST(:addresses AS text []))
