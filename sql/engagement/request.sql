-- A full reading is asked for: of one prospect, or of all (empty); :anew: with all that is held.
INSERT INTO crm.engagement_request AS r (account_id, prospect_id, anew)
VALUES (:account_id, :prospect_id, :anew)
ON CONFLICT (account_id, prospect_id) DO UPDATE
SET requested_at = now(), anew = r.anew OR excluded.anew
