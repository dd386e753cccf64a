-- Who has been told the digest of which day.
CREATE TABLE crm.alert_digest (
    day date NOT NULL,
    target text NOT NULL,
    sent_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (day, target)
);

COMMENT ON TABLE crm.alert_digest IS 'Which target has taken the digest of which day (UTC).';
