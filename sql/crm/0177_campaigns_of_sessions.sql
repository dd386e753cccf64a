-- A campaign is about an event, a session of it, or a series of events. Its key says which: 4711 is an
-- event, session:12 a session, series:tuesdays a series. What there is of events stays. Writes
-- the memberships anew: some seconds for a million.
DROP VIEW crm.linked_campaign;

ALTER TABLE crm.campaign_link ALTER COLUMN event_id TYPE text;
ALTER TABLE crm.campaign_link RENAME COLUMN event_id TO campaign_key;
ALTER TABLE crm.event_campaign ALTER COLUMN event_id TYPE text;
ALTER TABLE crm.event_campaign RENAME COLUMN event_id TO campaign_key;
ALTER TABLE crm.campaign_member ALTER COLUMN event_id TYPE text;
ALTER TABLE crm.campaign_member RENAME COLUMN event_id TO campaign_key;
ALTER TABLE crm.campaign_census ALTER COLUMN event_id TYPE text;
ALTER TABLE crm.campaign_census RENAME COLUMN event_id TO campaign_key;

COMMENT ON TABLE crm.campaign_link
IS 'Campaigns that were named by a person; others are found or created by the settings.';
COMMENT ON TABLE crm.event_campaign
IS 'The campaign of each event, session or series, as found or created.';

CREATE OR REPLACE FUNCTION crm.campaign_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE crm.campaign_member
    SET moved = true
    WHERE account_id = old.account_id AND campaign_key = old.campaign_key;
    RETURN NULL;
END $$;

ALTER TABLE crm.event_campaign ADD COLUMN parent_id text;

COMMENT ON COLUMN crm.event_campaign.parent_id IS 'The parent campaign that it was given.';

CREATE VIEW crm.linked_campaign AS
SELECT
    l.account_id,
    l.campaign_key,
    l.campaign_id,
    l.added_at AS since
FROM crm.campaign_link AS l
UNION ALL
SELECT
    c.account_id,
    c.campaign_key,
    c.campaign_id,
    c.seen_at
FROM crm.event_campaign AS c
WHERE NOT EXISTS (
    SELECT FROM crm.campaign_link AS l
    WHERE l.account_id = c.account_id AND l.campaign_key = c.campaign_key
);

COMMENT ON VIEW crm.linked_campaign
IS 'The campaign of each event, session or series: as named, else as found or created.';

-- A row tells of the membership in its event's campaign, of that in its session's, or of both.
ALTER TABLE crm.member_row ALTER COLUMN natural_key DROP NOT NULL;
ALTER TABLE crm.member_row ADD COLUMN of_session text;

COMMENT ON COLUMN crm.member_row.natural_key
IS 'Of the membership in the event''s campaign; NULL: sessions alone have campaigns.';
COMMENT ON COLUMN crm.member_row.of_session
IS 'The natural key of the membership in the session''s campaign; NULL: events alone have some.';

ALTER TABLE crm.campaign_wish ALTER COLUMN event_id DROP NOT NULL;
ALTER TABLE crm.campaign_wish ADD COLUMN event_session_id bigint;

COMMENT ON COLUMN crm.campaign_wish.event_session_id
IS 'The session whose campaign it is; NULL: the event''s.';
