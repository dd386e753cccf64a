-- A campaign that was deleted is nobody's parent any more: Salesforce empties the field.
UPDATE crm.event_campaign
SET parent_id = NULL
WHERE account_id = :account_id AND parent_id = :campaign_id
