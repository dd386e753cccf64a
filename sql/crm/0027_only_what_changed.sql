-- Answers that ticks and cycles ask for about large accounts are kept where they change, instead of
-- looked for.

-- Leads with account and state: what waits is asked for by these.
CREATE INDEX operation_by_state ON crm.operation (account_id, state, kind, operation_id)
WHERE state IN ('pending', 'in_flight', 'failed', 'exhausted');
DROP INDEX crm.operation_open;

ALTER TABLE crm.sync_state ADD COLUMN sendable boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN crm.sync_state.sendable
IS 'At the end of the last cycle something waited beside people that could have been sent: its '
   'person is in the org. What waits for people who never come is not asked for again.';

UPDATE crm.sync_state AS s
SET sendable = true
WHERE EXISTS (
    SELECT FROM crm.operation AS o
    INNER JOIN crm.identity AS i ON o.account_id = i.account_id AND o.person_key = i.person_key
    WHERE o.account_id = s.account_id AND o.state = 'pending' AND o.kind <> 'person'
);

-- Members whose person or campaign has become another record since they were sent.
ALTER TABLE crm.campaign_member ADD COLUMN moved boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN crm.campaign_member.moved
IS 'The person''s record or the event''s campaign was changed since: the membership may have to move.';

UPDATE crm.campaign_member AS m
SET moved = true
FROM crm.identity AS i, crm.event_campaign AS c
WHERE
    m.account_id = i.account_id AND m.person_key = i.person_key
    AND m.account_id = c.account_id AND m.event_id = c.event_id
    AND (i.salesforce_id <> m.person_id OR c.campaign_id <> m.campaign_id);

CREATE INDEX campaign_member_moved ON crm.campaign_member (account_id) WHERE moved;
CREATE INDEX campaign_member_by_person ON crm.campaign_member (account_id, person_key);

CREATE FUNCTION crm.person_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE crm.campaign_member
    SET moved = true
    WHERE account_id = old.account_id AND person_key = old.person_key;
    RETURN NULL;
END $$;

CREATE TRIGGER person_moved AFTER UPDATE ON crm.identity
FOR EACH ROW WHEN (old.salesforce_id <> new.salesforce_id) EXECUTE FUNCTION crm.person_moved();

CREATE FUNCTION crm.people_forgotten() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE crm.campaign_member AS m
    SET moved = true
    FROM gone AS g
    WHERE m.account_id = g.account_id AND m.person_key = g.person_key;
    RETURN NULL;
END $$;

CREATE TRIGGER people_forgotten AFTER DELETE ON crm.identity
REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION crm.people_forgotten();

CREATE FUNCTION crm.campaign_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE crm.campaign_member
    SET moved = true
    WHERE account_id = old.account_id AND event_id = old.event_id;
    RETURN NULL;
END $$;

CREATE TRIGGER campaign_moved AFTER UPDATE ON crm.event_campaign
FOR EACH ROW WHEN (old.campaign_id <> new.campaign_id) EXECUTE FUNCTION crm.campaign_moved();

-- Whom conversions may concern: whether there is any lead is one look.
CREATE INDEX campaign_member_lead ON crm.campaign_member (account_id) WHERE person_id LIKE '00Q%';

-- Memberships of one record in one campaign, noted as they are made.
ALTER TABLE crm.campaign_member ADD COLUMN twice boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN crm.campaign_member.twice
IS 'When it was noted, the same record had another membership in the campaign.';

CREATE INDEX campaign_member_by_record
ON crm.campaign_member (account_id, campaign_id, person_id);
CREATE INDEX campaign_member_twice ON crm.campaign_member (account_id) WHERE twice;

UPDATE crm.campaign_member AS m
SET twice = true
FROM (
    SELECT account_id, campaign_id, person_id
    FROM crm.campaign_member
    GROUP BY account_id, campaign_id, person_id
    HAVING count(DISTINCT member_id) > 1
) AS d
WHERE
    m.account_id = d.account_id AND m.campaign_id = d.campaign_id AND m.person_id = d.person_id;
