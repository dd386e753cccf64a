-- An account goes with all that is kept of it; what cascades goes with its row. Hashes of people who
-- were removed on request stay as long as they are kept, should the client come back; and so does
-- that the client was delivered to the org.
WITH org AS (
    SELECT o.organization_id
    FROM crm.account_org AS o
    WHERE
        o.account_id = :account_id
        AND NOT EXISTS (
            SELECT FROM crm.account_org AS other
            WHERE other.organization_id = o.organization_id AND other.account_id <> o.account_id
        )
),

org_values AS (
    DELETE FROM crm.org_value WHERE organization_id IN (SELECT organization_id FROM org)
),

org_swings AS (
    DELETE FROM crm.org_swing WHERE organization_id IN (SELECT organization_id FROM org)
),

org_people AS (
    DELETE FROM crm.org_person WHERE account_id = :account_id
),

operations AS (
    DELETE FROM crm.operation WHERE account_id = :account_id
),

field_changes AS (
    DELETE FROM crm.field_change WHERE account_id = :account_id
),

identities AS (
    DELETE FROM crm.identity WHERE account_id = :account_id
),

records AS (
    DELETE FROM crm.record WHERE account_id = :account_id
),

people AS (
    DELETE FROM crm.person WHERE account_id = :account_id
),

pointers AS (
    DELETE FROM crm.person_pointer WHERE account_id = :account_id
),

opportunities AS (
    DELETE FROM crm.opportunity WHERE account_id = :account_id
),

opportunity_firings AS (
    DELETE FROM crm.opportunity_firing WHERE account_id = :account_id
),

opportunity_matches AS (
    DELETE FROM crm.opportunity_match WHERE account_id = :account_id
),

opportunity_people AS (
    DELETE FROM crm.opportunity_person WHERE account_id = :account_id
),

opportunity_questions AS (
    DELETE FROM crm.opportunity_question WHERE account_id = :account_id
),

opportunity_roles AS (
    DELETE FROM crm.opportunity_role WHERE account_id = :account_id
),

replaced_values AS (
    DELETE FROM crm.replaced_value WHERE account_id = :account_id
),

visits AS (
    DELETE FROM crm.visit WHERE account_id = :account_id
),

campaign_members AS (
    DELETE FROM crm.campaign_member WHERE account_id = :account_id
),

member_rows AS (
    DELETE FROM crm.member_row WHERE account_id = :account_id
),

person_rows AS (
    DELETE FROM crm.person_row WHERE account_id = :account_id
),

prospects AS (
    DELETE FROM crm.prospect WHERE account_id = :account_id
),

engagement_addresses AS (
    DELETE FROM crm.engagement_address WHERE account_id = :account_id
),

engagement_people AS (
    DELETE FROM crm.engagement_person WHERE account_id = :account_id
),

engagement_aggregates AS (
    DELETE FROM crm.engagement_aggregate WHERE account_id = :account_id
),

tracked_leads AS (
    DELETE FROM crm.tracked_lead WHERE account_id = :account_id
),

org_phones AS (
    DELETE FROM crm.org_phone WHERE account_id = :account_id
),

external_activities AS (
    DELETE FROM crm.external_activity WHERE account_id = :account_id
),

requests AS (
    DELETE FROM crm.request WHERE account_id = :account_id
),

messages AS (
    DELETE FROM platform_inbox.message WHERE account_id = :account_id
),

clocks AS (
    DELETE FROM crm.account_clock WHERE account_id = :account_id
),

marks AS (
    DELETE FROM crm.ledger_mark WHERE account_id = :account_id
),

orgs AS (
    DELETE FROM crm.account_org WHERE account_id = :account_id
)

DELETE FROM crm.account WHERE account_id = :account_id
