-- A full reading that an operator asks for has all that is held sent anew: people may have deleted
-- or changed some of it in the org. One that settings ask for sends only what differs.

ALTER TABLE crm.engagement_request ADD COLUMN anew boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN crm.engagement_request.anew
IS 'All that the ledger holds of them is sent again, whether it differs or not.';
