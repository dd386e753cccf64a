-- A person is a number of ours. Addresses and the platform's ids point to it, so that a person who
-- has another address stays one, and what is known of the person stays where it is.

CREATE TABLE crm.person (
    person_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL,
    address text,
    as_of timestamptz NOT NULL
);

CREATE UNIQUE INDEX person_by_address ON crm.person (account_id, address);
CREATE INDEX person_without_address ON crm.person (account_id) WHERE address IS NULL;

COMMENT ON TABLE crm.person
IS 'The people of each account, as far as rows about them are to reach the org.';
COMMENT ON COLUMN crm.person.address
IS 'The email address that is the person''s now, as email_key writes it; NULL: all that pointed to '
   'this person points to another one by now, who has what was not sent yet.';
COMMENT ON COLUMN crm.person.as_of IS 'When the source told this address.';

CREATE TABLE crm.person_pointer (
    account_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('platform', 'phone')),
    value text NOT NULL,
    person_key bigint NOT NULL,
    as_of timestamptz NOT NULL,
    PRIMARY KEY (account_id, kind, value)
);

CREATE INDEX person_pointer_by_person ON crm.person_pointer (person_key);

COMMENT ON TABLE crm.person_pointer
IS 'What else points to a person: the source platform''s ids, several where they share an address.';

-- Carried over: each address that was a key until now is a person. Of rows that a filter rejected,
-- nobody is known.
INSERT INTO crm.person (account_id, address, as_of)
SELECT k.account_id, k.person_key, max(k.as_of)
FROM (
    SELECT account_id, person_key, as_of FROM crm.identity
    UNION ALL
    SELECT account_id, person_key, as_of FROM crm.person_email
    UNION ALL
    SELECT account_id, person_key, as_of FROM crm.operation
    WHERE person_key IS NOT NULL AND (state <> 'rejected' OR kind <> 'activity')
) AS k
GROUP BY k.account_id, k.person_key;

INSERT INTO crm.person_pointer (account_id, kind, value, person_key, as_of)
SELECT e.account_id, 'platform', e.source_person, p.person_key, e.as_of
FROM crm.person_email AS e
INNER JOIN crm.person AS p ON e.account_id = p.account_id AND e.person_key = p.address;

ALTER TABLE crm.identity ADD COLUMN address text;

COMMENT ON COLUMN crm.identity.address
IS 'The person''s address when this record was chosen; with another one it is looked up again.';

UPDATE crm.identity SET address = person_key;

-- Those of whom another address was read, and nothing decided since.
INSERT INTO crm.identity (
    account_id, person_key, sobject, salesforce_id, reason, sent, as_of, seen_at, address
)
SELECT
    f.account_id, f.person_key, i.sobject, i.salesforce_id, i.reason, i.sent, i.as_of, i.seen_at,
    i.address
FROM crm.former_email AS f
INNER JOIN crm.identity AS i ON f.account_id = i.account_id AND f.former_key = i.person_key
ON CONFLICT (account_id, person_key) DO NOTHING;

ALTER TABLE crm.identity DROP CONSTRAINT identity_pkey;
ALTER TABLE crm.identity RENAME COLUMN person_key TO former_key;
ALTER TABLE crm.identity ADD COLUMN person_key bigint;

UPDATE crm.identity AS i
SET person_key = p.person_key
FROM crm.person AS p
WHERE i.account_id = p.account_id AND i.former_key = p.address;

ALTER TABLE crm.identity DROP COLUMN former_key;
ALTER TABLE crm.identity ADD PRIMARY KEY (account_id, person_key);

ALTER TABLE crm.campaign_member DROP CONSTRAINT campaign_member_pkey;
ALTER TABLE crm.campaign_member RENAME COLUMN person_key TO former_key;
ALTER TABLE crm.campaign_member ADD COLUMN person_key bigint;

UPDATE crm.campaign_member AS m
SET person_key = p.person_key
FROM crm.person AS p
WHERE m.account_id = p.account_id AND m.former_key = p.address;

ALTER TABLE crm.campaign_member DROP COLUMN former_key;
ALTER TABLE crm.campaign_member ADD PRIMARY KEY (account_id, event_id, person_key);

DROP INDEX crm.operation_dropped_person;
ALTER TABLE crm.operation RENAME COLUMN person_key TO former_key;
ALTER TABLE crm.operation ADD COLUMN person_key bigint;

UPDATE crm.operation AS o
SET
    person_key = p.person_key,
    natural_key = CASE o.kind
        WHEN 'person' THEN 'person:' || p.person_key
        WHEN 'member' THEN 'member:' || split_part(o.natural_key, ':', 2) || ':' || p.person_key
        ELSE o.natural_key
    END
FROM crm.person AS p
WHERE o.account_id = p.account_id AND o.former_key = p.address;

ALTER TABLE crm.operation DROP COLUMN former_key;
CREATE INDEX operation_dropped_person ON crm.operation (account_id, person_key)
WHERE state = 'dropped';

COMMENT ON COLUMN crm.operation.person_key IS 'The person it is about (crm.person), or NULL.';
COMMENT ON COLUMN crm.operation.natural_key
IS 'What it is about: person:<number>, registration:<id>, member:<event>:<number>, …';

DROP TABLE crm.person_email;
DROP TABLE crm.former_email;
