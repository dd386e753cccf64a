-- Wishes that wait are looked at again: people withdraw some, and others opt out of email meanwhile.
ALTER TABLE crm.campaign_wish ADD COLUMN seen_at timestamptz NOT NULL DEFAULT now();

COMMENT ON COLUMN crm.campaign_wish.seen_at IS 'When the org was last seen to want it.';
