-- What a lead tracker knows of those who got in touch: by phone, by a form, by chat, …
-- A lead is shipped again when it becomes richer: a recording, a name, an email address.

CREATE TABLE warehouse.tracked_lead (
    lead_id bigint PRIMARY KEY,
    client_id text NOT NULL,
    kind text NOT NULL,
    happened_at timestamptz NOT NULL,
    is_spam boolean NOT NULL DEFAULT false,
    is_duplicate boolean NOT NULL DEFAULT false,
    contact_name text,
    company_name text,
    email text,
    phone text,
    city text,
    county text,
    postal_code text,
    country_code text,
    message text,
    duration_seconds integer,
    recording_url text,
    source text,
    medium text,
    campaign text,
    keyword text,
    content text,
    landing_page text,
    referrer text,
    gclid text,
    gbraid text,
    wbraid text,
    fbclid text,
    shipped_at timestamptz NOT NULL
);

CREATE INDEX tracked_lead_by_shipping ON warehouse.tracked_lead (client_id, shipped_at);
