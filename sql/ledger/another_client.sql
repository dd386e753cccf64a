-- The account becomes another client: all of that one is read from its start. Unsent operations of
-- the former client are forgotten, so that each is there anew should the new client have it, too;
-- those in flight or in the org stay. What the org says, and what people chose, stays as well.
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

-- Rows of the former client are not counted against those of this one, until they come again.
of_another AS (
    UPDATE crm.operation
    SET memory = coalesce(memory, '{}') || '{"vanished": true}'
    WHERE
        account_id = :account_id
        AND kind = 'activity'
        AND state NOT IN ('pending', 'failed', 'exhausted')
),

counts AS (
    DELETE FROM crm.source_count WHERE account_id = :account_id
),

lead_counts AS (
    DELETE FROM crm.lead_count WHERE account_id = :account_id
),

-- The platform may give the same ids to others; addresses are whose they are.
pointers AS (
    DELETE FROM crm.person_pointer WHERE account_id = :account_id
),

aliases AS (
    DELETE FROM crm.person_alias WHERE account_id = :account_id
),

leads AS (
    DELETE FROM crm.tracked_lead WHERE account_id = :account_id
),

replayed AS (
    DELETE FROM crm.replay_row WHERE account_id = :account_id
),

visits AS (
    DELETE FROM crm.visit WHERE account_id = :account_id
),

member_rows AS (
    DELETE FROM crm.member_row WHERE account_id = :account_id
),

figures AS (
    DELETE FROM crm.person_row WHERE account_id = :account_id
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

wishes AS (
    DELETE FROM crm.campaign_wish WHERE account_id = :account_id
),

campaigns_asked AS (
    DELETE FROM crm.campaign_asked WHERE account_id = :account_id
),

campaign_census AS (
    DELETE FROM crm.campaign_census WHERE account_id = :account_id
),

campaign_census_asked_for AS (
    DELETE FROM crm.campaign_census_request WHERE account_id = :account_id
),

census AS (
    DELETE FROM crm.engagement_census WHERE account_id = :account_id
),

census_asked_for AS (
    DELETE FROM crm.engagement_census_request WHERE account_id = :account_id
),

readings_asked_for AS (
    DELETE FROM crm.engagement_request WHERE account_id = :account_id
),

users AS (
    DELETE FROM crm.platform_user WHERE account_id = :account_id
),

-- They are compared with the leads of this client.
opportunities AS (
    UPDATE crm.opportunity SET due = true WHERE account_id = :account_id
),

backfills AS (
    DELETE FROM crm.campaign_backfill WHERE account_id = :account_id
),

-- Their rows go with them.
plans AS (
    DELETE FROM crm.plan WHERE account_id = :account_id
),

standing AS (
    UPDATE crm.sync_state SET watermark = NULL WHERE account_id = :account_id
)

DELETE FROM crm.source_position WHERE account_id = :account_id
