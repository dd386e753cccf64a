-- Whatever is to be read of the org beside changes is a question, which goes when it is answered: no
-- opportunity and no person is written again for it. And an opportunity knows itself when each trigger
-- fired last, so that old firings may be forgotten.

CREATE TABLE crm.opportunity_question (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    question text NOT NULL CHECK (question IN ('opportunity', 'converted', 'became')),
    record_id text NOT NULL,
    PRIMARY KEY (account_id, question, record_id)
);

COMMENT ON TABLE crm.opportunity_question
IS 'What is to be read by Ids at the next opportunity: opportunities that a role or a conversion names, or
   of which the filter asks for fields that were not read; the leads that were converted into an
   opportunity, or became a contact, and may be older than the first reading.';

INSERT INTO crm.opportunity_question (account_id, question, record_id)
SELECT w.account_id, 'opportunity', w.opportunity_id
FROM crm.opportunity_wanted AS w
UNION ALL
SELECT o.account_id, 'converted', o.opportunity_id
FROM crm.opportunity AS o
WHERE NOT o.looked_up
UNION ALL
SELECT p.account_id, 'became', p.record_id
FROM crm.opportunity_person AS p
WHERE NOT p.looked_up AND p.became_contact IS NULL;

DROP TABLE crm.opportunity_wanted;
ALTER TABLE crm.opportunity DROP COLUMN looked_up;
ALTER TABLE crm.opportunity_person DROP COLUMN looked_up;

CREATE INDEX opportunity_person_in_doubt ON crm.opportunity_person (account_id) WHERE doubtful;

ALTER TABLE crm.opportunity ADD COLUMN fired jsonb NOT NULL DEFAULT '{}';

UPDATE crm.opportunity AS o
SET fired = f.fired
FROM (
    SELECT x.account_id, x.opportunity_id, jsonb_object_agg(x.trigger, x.version) AS fired
    FROM (
        SELECT y.account_id, y.opportunity_id, y.trigger, max(y.version) AS version
        FROM crm.opportunity_firing AS y
        GROUP BY y.account_id, y.opportunity_id, y.trigger
    ) AS x
    GROUP BY x.account_id, x.opportunity_id
) AS f
WHERE o.account_id = f.account_id AND o.opportunity_id = f.opportunity_id;

COMMENT ON COLUMN crm.opportunity.fired IS 'The last version at which each trigger fired.';
