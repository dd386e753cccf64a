-- Opportunities of accounts that have them told: as they were read last, who is around them, and to
-- which tracked leads they belong.

CREATE TABLE crm.opportunity (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    opportunity_id text NOT NULL,
    record jsonb NOT NULL,
    deleted boolean NOT NULL,
    version bigint NOT NULL DEFAULT 0,
    stamp timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    looked_up boolean NOT NULL DEFAULT false,
    due boolean NOT NULL DEFAULT true,
    looked_at timestamptz,
    waits_because text,
    in_filter boolean NOT NULL DEFAULT false,
    told boolean NOT NULL DEFAULT false,
    name text GENERATED ALWAYS AS (record ->> 'Name') STORED,
    stage text GENERATED ALWAYS AS (record ->> 'StageName') STORED,
    amount numeric GENERATED ALWAYS AS (CAST(record ->> 'Amount' AS numeric)) STORED,
    currency text GENERATED ALWAYS AS (record ->> 'CurrencyIsoCode') STORED,
    close_date text GENERATED ALWAYS AS (record ->> 'CloseDate') STORED,
    PRIMARY KEY (account_id, opportunity_id)
);

CREATE INDEX opportunity_due ON crm.opportunity (account_id, opportunity_id) WHERE due;
CREATE INDEX opportunity_to_look_up ON crm.opportunity (account_id) WHERE NOT looked_up;

COMMENT ON COLUMN crm.opportunity.record IS 'What was read of it last, by API name.';
COMMENT ON COLUMN crm.opportunity.version
IS 'Grows by one with each reading that brought another state or history of it.';
COMMENT ON COLUMN crm.opportunity.stamp IS 'Its SystemModstamp when it was read last.';
COMMENT ON COLUMN crm.opportunity.looked_up
IS 'Whether its roles and the leads converted into it were read: these may be older than it.';
COMMENT ON COLUMN crm.opportunity.due
IS 'It or somebody around it has changed since it was matched.';
COMMENT ON COLUMN crm.opportunity.looked_at IS 'When it was matched last.';
COMMENT ON COLUMN crm.opportunity.waits_because IS 'Why it has no match yet; NULL: it has one.';
COMMENT ON COLUMN crm.opportunity.in_filter IS 'Whether it fulfilled the filter when matched last.';
COMMENT ON COLUMN crm.opportunity.told
IS 'Whether one of the account''s triggers has fired for it: from then on the platform is told of it.';
COMMENT ON COLUMN crm.opportunity.currency
IS 'NULL in an org with one currency: the account''s settings name it.';
COMMENT ON COLUMN crm.opportunity.close_date IS 'A day, as the org has it: no time, no zone.';

CREATE TABLE crm.opportunity_firing (
    account_id text NOT NULL,
    opportunity_id text NOT NULL,
    version bigint NOT NULL,
    trigger text NOT NULL CHECK (trigger IN ('new', 'updated', 'matching_filter')),
    fired_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, opportunity_id, version, trigger),
    FOREIGN KEY (account_id, opportunity_id) REFERENCES crm.opportunity ON DELETE CASCADE
);

COMMENT ON TABLE crm.opportunity_firing
IS 'The stream of opportunities in three views: each fires once for an opportunity and a version.';

CREATE TABLE crm.opportunity_stage (
    account_id text NOT NULL,
    history_id text NOT NULL,
    opportunity_id text NOT NULL,
    at timestamptz NOT NULL,
    stage text NOT NULL,
    probability double precision,
    forecast_category text,
    PRIMARY KEY (account_id, history_id),
    FOREIGN KEY (account_id, opportunity_id) REFERENCES crm.opportunity ON DELETE CASCADE
);

CREATE INDEX stage_of_opportunity ON crm.opportunity_stage (account_id, opportunity_id);

COMMENT ON TABLE crm.opportunity_stage
IS 'Rows of OpportunityHistory: also of changes of amount, probability or close date alone.';

CREATE TABLE crm.org_stage (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    stage_id text NOT NULL,
    label text NOT NULL,
    is_closed boolean NOT NULL,
    is_won boolean NOT NULL,
    PRIMARY KEY (account_id, stage_id)
);

COMMENT ON TABLE crm.org_stage IS 'The stages of an account''s org, and what they mean now.';

CREATE TABLE crm.opportunity_role (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    role_id text NOT NULL,
    opportunity_id text NOT NULL,
    contact_id text NOT NULL,
    is_primary boolean NOT NULL,
    role text,
    deleted boolean NOT NULL,
    doubtful boolean NOT NULL DEFAULT false,
    read_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, role_id)
);

CREATE INDEX role_of_opportunity ON crm.opportunity_role (account_id, opportunity_id);
CREATE INDEX role_of_contact ON crm.opportunity_role (account_id, contact_id);
CREATE INDEX role_in_doubt ON crm.opportunity_role (account_id) WHERE doubtful;

COMMENT ON COLUMN crm.opportunity_role.doubtful
IS 'Its opportunity or contact was deleted, undeleted or merged: it may have moved without a stamp.';
COMMENT ON COLUMN crm.opportunity_role.read_at IS 'When it was read with a change.';

CREATE TABLE crm.opportunity_person (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    record_id text NOT NULL,
    tracker_id text,
    email text,
    phones text [] NOT NULL DEFAULT '{}',
    deleted boolean NOT NULL DEFAULT false,
    merged_into text,
    became_contact text,
    became_opportunity text,
    looked_up boolean NOT NULL DEFAULT false,
    doubtful boolean NOT NULL DEFAULT false,
    PRIMARY KEY (account_id, record_id)
);

CREATE INDEX opportunity_person_by_contact
ON crm.opportunity_person (account_id, became_contact) WHERE became_contact IS NOT NULL;
CREATE INDEX opportunity_person_by_opportunity
ON crm.opportunity_person (account_id, became_opportunity) WHERE became_opportunity IS NOT NULL;
CREATE INDEX opportunity_person_by_tracker_id
ON crm.opportunity_person (account_id, tracker_id) WHERE tracker_id IS NOT NULL;
CREATE INDEX opportunity_person_by_email
ON crm.opportunity_person (account_id, email) WHERE email IS NOT NULL;
CREATE INDEX opportunity_person_by_phone ON crm.opportunity_person USING gin (phones);
CREATE INDEX opportunity_person_to_look_up
ON crm.opportunity_person (account_id) WHERE NOT looked_up OR doubtful;

COMMENT ON TABLE crm.opportunity_person
IS 'People of the org around opportunities: contacts with a role, and leads that were converted.';
COMMENT ON COLUMN crm.opportunity_person.phones IS 'In E.164, those that are valid.';
COMMENT ON COLUMN crm.opportunity_person.looked_up
IS 'Whether the leads that became this contact were read; of a lead there are none.';

CREATE TABLE crm.opportunity_match (
    account_id text NOT NULL,
    opportunity_id text NOT NULL,
    lead_id text NOT NULL,
    rule text NOT NULL,
    because text NOT NULL,
    number smallint NOT NULL,
    parts smallint NOT NULL,
    withdrawn boolean NOT NULL DEFAULT false,
    matched_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, opportunity_id, lead_id),
    FOREIGN KEY (account_id, opportunity_id) REFERENCES crm.opportunity ON DELETE CASCADE
);

CREATE INDEX match_of_lead ON crm.opportunity_match (account_id, lead_id);

COMMENT ON TABLE crm.opportunity_match
IS 'The tracked leads that have a part in an opportunity: the number''th of so many equal parts.';
COMMENT ON COLUMN crm.opportunity_match.withdrawn
IS 'It belongs to this lead no more; kept, as the platform was told so.';
COMMENT ON COLUMN crm.opportunity_match.because
IS 'The reason; names records by their Ids, never by personal data.';

CREATE TABLE crm.opportunity_wanted (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    opportunity_id text NOT NULL,
    PRIMARY KEY (account_id, opportunity_id)
);

COMMENT ON TABLE crm.opportunity_wanted
IS 'Opportunities to be read by their Ids at the next opportunity: a role or a conversion names them, or
   the filter asks for fields that were not read of them.';

CREATE TABLE crm.opportunity_reading (
    account_id text PRIMARY KEY REFERENCES crm.account ON DELETE CASCADE,
    begins_at timestamptz NOT NULL,
    chosen jsonb NOT NULL DEFAULT '{}',
    leads_seen_at timestamptz NOT NULL DEFAULT '-infinity'
);

COMMENT ON COLUMN crm.opportunity_reading.begins_at
IS 'How far back the first reading went: an opportunity that was made before is not a new one.';
COMMENT ON COLUMN crm.opportunity_reading.chosen
IS 'The settings by which all opportunities were matched last; with others all are matched anew.';
COMMENT ON COLUMN crm.opportunity_reading.leads_seen_at
IS 'Tracked leads that changed since are to be compared with the opportunities.';

ALTER TABLE crm.tracked_lead ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();

COMMENT ON COLUMN crm.tracked_lead.changed_at
IS 'When what is known of it changed last: the opportunities are compared with it again.';

-- The people whose record this is, or was: the chain of Ids survives conversions and merges.
CREATE INDEX operation_of_person ON crm.operation (account_id, salesforce_id)
WHERE kind = 'person' AND salesforce_id IS NOT NULL;

CREATE VIEW platform_inbox.ad_conversion AS
SELECT
    a.account_id,
    a.client_id,
    t.lead_id,
    m.opportunity_id AS order_id,
    t.columns ->> 'gclid' AS gclid,
    t.columns ->> 'gbraid' AS gbraid,
    t.columns ->> 'wbraid' AS wbraid,
    t.columns ->> 'fbclid' AS fbclid,
    encode(sha256(convert_to(
        CASE
            WHEN split_part(e.email, '@', 2) IN ('gmail.com', 'googlemail.com')
                THEN replace(split_part(e.email, '@', 1), '.', '') || '@'
                    || split_part(e.email, '@', 2)
            ELSE e.email
        END, 'UTF8'
    )), 'hex') AS hashed_email,
    encode(sha256(convert_to(split_part(substr(t.phone, 5), ';', 1), 'UTF8')), 'hex')
        AS hashed_phone,
    CAST(told.body -> 'history' -> -1 ->> 'at' AS timestamptz) AS converted_at,
    CAST(told.body ->> 'closed_amount' AS numeric) AS value,
    told.body ->> 'currency' AS currency
FROM crm.opportunity_match AS m
INNER JOIN crm.account AS a ON m.account_id = a.account_id
INNER JOIN crm.tracked_lead AS t ON m.account_id = t.account_id AND m.lead_id = t.lead_id
LEFT JOIN crm.person AS p ON t.person_key = p.person_key
CROSS JOIN LATERAL (
    SELECT coalesce(t.email, CASE WHEN p.address NOT LIKE 'tel:%' THEN p.address END) AS email
) AS e
CROSS JOIN LATERAL (
    SELECT o.intent -> 'body' AS body
    FROM crm.operation AS o
    WHERE
        o.account_id = m.account_id
        AND o.natural_key
        = 'told:lead_values:lead:' || m.lead_id || ':opportunity:' || m.opportunity_id
        AND o.state = 'done'
    ORDER BY o.version DESC
    LIMIT 1
) AS told
WHERE NOT m.withdrawn AND told.body ->> 'standing' = 'won';

COMMENT ON VIEW platform_inbox.ad_conversion
IS 'Won opportunities of tracked leads, as told, for the offline conversions of ad platforms: who gives '
   'one a row by its click id or by the SHA-256 (hex) of the address and the number. One that is lost '
   'after all, or deleted, is not here any more.';
COMMENT ON COLUMN platform_inbox.ad_conversion.hashed_email
IS 'Of the address in lower case, without blanks; of Gmail''s without full stops before the @.';
COMMENT ON COLUMN platform_inbox.ad_conversion.hashed_phone IS 'Of the number in E.164, with its +.';
COMMENT ON COLUMN platform_inbox.ad_conversion.converted_at IS 'When it came into the stage that is won.';
COMMENT ON COLUMN platform_inbox.ad_conversion.value IS 'The lead''s part, in `currency`.';
