-- The time when the org was last asked which of its leads were converted.

ALTER TABLE crm.campaign_mapping
ADD COLUMN conversions_seen_at timestamptz NOT NULL DEFAULT now();

COMMENT ON COLUMN crm.campaign_mapping.conversions_seen_at
IS 'Leads that are members of campaigns may have been converted since.';
