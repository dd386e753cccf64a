-- All that an account delivered is pending again, as if nothing had ever been sent: the latest
-- version of each thing, with all of its tries. Operations that an operator dropped or a rule
-- rejected stay so, and so do messages to the source platform, which is no part of the org. What is
-- to be sent is looked for in the org first, which may have it all the same.
WITH identities AS (
    DELETE FROM crm.identity WHERE account_id = :account_id
),

campaigns AS (
    DELETE FROM crm.event_campaign WHERE account_id = :account_id
),

members AS (
    DELETE FROM crm.campaign_member WHERE account_id = :account_id
),

records AS (
    DELETE FROM crm.record WHERE account_id = :account_id
),

places AS (
    DELETE FROM crm.org_position WHERE account_id = :account_id
),

phones AS (
    DELETE FROM crm.org_phone WHERE account_id = :account_id
),

phones_kept AS (
    DELETE FROM crm.org_phones_kept WHERE account_id = :account_id
),

-- What is about Leads and Contacts of the org by their Ids follows anew from who is found there; and
-- nothing of this org is taken back that was written to the former one.
by_id AS (
    DELETE FROM crm.operation AS b
    WHERE
        b.account_id = :account_id
        AND b.kind IN ('record', 'undo')
        AND (
            b.intent ->> 'id' IS NOT NULL
            OR b.intent -> 'refs' @? '$.* ? (@ starts with "id:")'
        )
),

engaged AS (
    DELETE FROM crm.engagement_person WHERE account_id = :account_id
),

aggregates AS (
    DELETE FROM crm.engagement_aggregate WHERE account_id = :account_id
),

addresses AS (
    UPDATE crm.engagement_address SET is_sought = false WHERE account_id = :account_id
),

prospects AS (
    UPDATE crm.prospect SET is_due = true WHERE account_id = :account_id
),

-- What is known of opportunities is asked of this org by its Ids.
opportunities AS (
    INSERT INTO crm.opportunity_question (account_id, question, record_id)
    SELECT k.account_id, q.question, k.opportunity_id
    FROM crm.opportunity AS k
    CROSS JOIN (VALUES ('opportunity'), ('converted')) AS q (question)
    WHERE k.account_id = :account_id AND NOT k.deleted
    ON CONFLICT DO NOTHING
),

opportunity_roles AS (
    UPDATE crm.opportunity_role SET doubtful = true WHERE account_id = :account_id
),

opportunity_people AS (
    UPDATE crm.opportunity_person SET doubtful = true WHERE account_id = :account_id
),

opportunity_reading AS (
    DELETE FROM crm.opportunity_reading WHERE account_id = :account_id
),

sweeps AS (
    DELETE FROM crm.org_sweep WHERE account_id = :account_id
),

missing AS (
    DELETE FROM crm.org_missing WHERE account_id = :account_id
),

looks AS (
    DELETE FROM crm.record_look WHERE account_id = :account_id
),

under_way AS (
    DELETE FROM crm.sending WHERE account_id = :account_id AND ended_at IS NULL
),

jobs AS (
    DELETE FROM crm.bulk_job WHERE account_id = :account_id
),

conflicts AS (
    DELETE FROM crm.field_conflict WHERE account_id = :account_id
),

unsure AS (
    UPDATE crm.ledger_mark SET unsure = true, known_until = NULL, adopts = false
    WHERE account_id = :account_id
),

unknown AS (
    DELETE FROM crm.unknown_activity WHERE account_id = :account_id
),

causes AS (
    UPDATE crm.incident SET closed_at = now() WHERE account_id = :account_id AND closed_at IS NULL
)

UPDATE crm.operation AS o
SET
    -- What was to be gone is not there.
    state = CASE
        WHEN NOT each.is_latest THEN 'superseded'
        WHEN o.gone THEN 'rejected'
        ELSE 'pending'
    END,
    attempts_left = o.attempts,
    next_attempt_at = NULL,
    sobject = NULL,
    action = NULL,
    salesforce_id = NULL,
    sent = NULL,
    sent_at = NULL,
    reason = CASE WHEN o.gone THEN o.reason END,
    reason_code = NULL,
    error_code = NULL,
    error_message = NULL,
    finished_at = CASE WHEN each.is_latest THEN NULL ELSE o.finished_at END
FROM (
    SELECT
        a.operation_id,
        a.version = max(a.version) OVER (PARTITION BY a.natural_key) AS is_latest
    FROM crm.operation AS a
    WHERE
        a.account_id = :account_id
        AND a.kind <> 'message'
        AND NOT (
            a.kind IN ('record', 'undo')
            AND (
                a.intent ->> 'id' IS NOT NULL
                OR a.intent -> 'refs' @? '$.* ? (@ starts with "id:")'
            )
        )
) AS each
WHERE
    o.operation_id = each.operation_id
    AND o.state IN ('pending', 'in_flight', 'done', 'failed', 'exhausted', 'left_out')
