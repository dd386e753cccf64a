-- The campaign of each event that has one: the one that a person named, from that moment on, else the one
-- that was found or created.
CREATE VIEW crm.linked_campaign AS
SELECT
    l.account_id,
    l.event_id,
    l.campaign_id,
    l.added_at AS since
FROM crm.campaign_link AS l
UNION ALL
SELECT
    c.account_id,
    c.event_id,
    c.campaign_id,
    c.seen_at
FROM crm.event_campaign AS c
WHERE NOT EXISTS (
    SELECT FROM crm.campaign_link AS l
    WHERE l.account_id = c.account_id AND l.event_id = c.event_id
);

COMMENT ON VIEW crm.linked_campaign IS 'The campaign of each event: as named, else as found or created.';
