-- What a tracking product knows of prospects: tags, scores and pages, defined and given.
-- A row that changes is shipped again; one that is taken away is simply not there any more.

CREATE TABLE warehouse.tag_definition (
    client_id text NOT NULL,
    tag_id text NOT NULL,
    name text NOT NULL,
    category text,
    description text,
    shipped_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, tag_id)
);

CREATE TABLE warehouse.score_definition (
    client_id text NOT NULL,
    score_id text NOT NULL,
    name text NOT NULL,
    kind text,
    description text,
    shipped_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, score_id)
);

CREATE TABLE warehouse.prospect (
    client_id text NOT NULL,
    prospect_id text NOT NULL,
    email text,
    first_name text,
    last_name text,
    company text,
    phone text,
    favorite boolean,
    temperature numeric,
    predictive_score numeric,
    first_visit timestamptz,
    last_visit timestamptz,
    visits integer,
    life_cycle text,
    merged_into text,
    salesforce_id text,
    shipped_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, prospect_id)
);

CREATE TABLE warehouse.prospect_tag (
    client_id text NOT NULL,
    prospect_id text NOT NULL,
    tag_id text NOT NULL,
    since timestamptz,
    times integer,
    shipped_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, prospect_id, tag_id)
);

CREATE TABLE warehouse.prospect_score (
    client_id text NOT NULL,
    prospect_id text NOT NULL,
    score_id text NOT NULL,
    value numeric,
    grade text,
    shipped_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, prospect_id, score_id)
);

CREATE TABLE warehouse.prospect_page (
    client_id text NOT NULL,
    page_id text NOT NULL,
    prospect_id text NOT NULL,
    kind text,
    url text,
    title text,
    referrer text,
    seconds integer,
    visited_at timestamptz,
    shipped_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, page_id)
);

CREATE INDEX tag_definition_by_shipping ON warehouse.tag_definition (client_id, shipped_at);
CREATE INDEX score_definition_by_shipping ON warehouse.score_definition (client_id, shipped_at);
CREATE INDEX prospect_by_shipping ON warehouse.prospect (client_id, shipped_at);
CREATE INDEX prospect_tag_by_shipping ON warehouse.prospect_tag (client_id, shipped_at);
CREATE INDEX prospect_score_by_shipping ON warehouse.prospect_score (client_id, shipped_at);
CREATE INDEX prospect_page_by_shipping ON warehouse.prospect_page (client_id, shipped_at);
CREATE INDEX prospect_page_by_prospect ON warehouse.prospect_page (client_id, prospect_id);
