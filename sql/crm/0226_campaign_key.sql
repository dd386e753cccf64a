-- The key of the campaign that a membership is of; those from before there were keys name its event.
CREATE FUNCTION crm.campaign_key(intent jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(intent ->> 'campaign_key', intent ->> 'event_id');
