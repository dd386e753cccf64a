-- All that defines tags and scores.
SELECT d.kind, d.definition_id, d.as_of, d.columns
FROM crm.engagement_definition AS d
WHERE d.account_id = :account_id
