-- Tracked leads that changed since the opportunities were compared with them are found at once.

CREATE INDEX tracked_lead_by_change ON crm.tracked_lead (account_id, changed_at);
