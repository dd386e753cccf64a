-- The account becomes another client: all of that one is read from its start. Unsent operations of
-- the former client are forgotten, so that each is there anew should the new client have it, too;
-- those in flight or in the org stay.
WITH unsent AS (
    DELETE FROM crm.operation AS o
    WHERE
        o.account_id = :account_id
        AND o.state IN ('pending', 'failed', 'exhausted')
        -- What is in flight is sought under its person, who is to be found for that.
        AND NOT (
            o.kind = 'person'
            AND EXISTS (
                SELECT FROM crm.operation AS under_way
                WHERE
                    under_way.account_id = o.account_id
                    AND under_way.person_key = o.person_key
                    AND under_way.state = 'in_flight'
            )
        )
),

-- The platform may give the same ids to others; addresses are whose they are.
pointers AS (
    DELETE FROM crm.person_pointer WHERE account_id = :account_id
),

leads AS (
    DELETE FROM crm.tracked_lead WHERE account_id = :account_id
),

visits AS (
    DELETE FROM crm.visit WHERE account_id = :account_id
),

questions AS (
    DELETE FROM crm.answer_key WHERE account_id = :account_id
),

sessions AS (
    DELETE FROM crm.session_end WHERE account_id = :account_id
),

prospects AS (
    DELETE FROM crm.prospect WHERE account_id = :account_id
),

definitions AS (
    DELETE FROM crm.engagement_definition WHERE account_id = :account_id
),

engaged AS (
    DELETE FROM crm.engagement_person WHERE account_id = :account_id
),

aggregates AS (
    DELETE FROM crm.engagement_aggregate WHERE account_id = :account_id
),

addresses AS (
    DELETE FROM crm.engagement_address WHERE account_id = :account_id
),

backfills AS (
    DELETE FROM crm.campaign_backfill WHERE account_id = :account_id
),

standing AS (
    UPDATE crm.sync_state SET watermark = NULL WHERE account_id = :account_id
)

DELETE FROM crm.source_position WHERE account_id = :account_id
