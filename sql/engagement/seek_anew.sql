-- People with the addresses of prospects are sought anew, and so are Opportunities.
WITH aggregates AS (
    UPDATE crm.engagement_aggregate SET is_sought = false WHERE account_id = :account_id
)

UPDATE crm.engagement_address SET is_sought = false WHERE account_id = :account_id
