-- A campaign may be that of several events or sessions: who is put into it is told for each of them.
ALTER TABLE crm.campaign_wish ADD COLUMN campaign_key text;
UPDATE crm.campaign_wish SET campaign_key = coalesce('session:' || event_session_id, event_id::text);
ALTER TABLE crm.campaign_wish ALTER COLUMN campaign_key SET NOT NULL;
ALTER TABLE crm.campaign_wish DROP CONSTRAINT campaign_wish_pkey;
ALTER TABLE crm.campaign_wish ADD PRIMARY KEY (account_id, member_id, campaign_key);
ALTER TABLE crm.campaign_wish DROP COLUMN event_id;
ALTER TABLE crm.campaign_wish DROP COLUMN event_session_id;

COMMENT ON COLUMN crm.campaign_wish.campaign_key IS 'The event or session whose campaign it is.';
