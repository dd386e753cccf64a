-- The full readings that are asked for.
SELECT r.prospect_id, r.requested_at, r.anew
FROM crm.engagement_request AS r
WHERE r.account_id = :account_id
