-- The last scan of the databases for people who were erased.
CREATE TABLE crm.erasure_scan (
    account_id text PRIMARY KEY REFERENCES crm.account ON DELETE CASCADE,
    scanned_at timestamptz NOT NULL,
    places text [] NOT NULL
);

COMMENT ON COLUMN crm.erasure_scan.places
IS 'Columns in which somebody was found; such as crm.person.address.';
