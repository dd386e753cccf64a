-- By which settings the platform's users and tickets were read: with others all are read again.
CREATE TABLE crm.platform_read (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    source text NOT NULL,
    fingerprint text NOT NULL,
    PRIMARY KEY (account_id, source)
);

-- Users are read by a flow of their own now, and once more for it.
DELETE FROM crm.source_position WHERE flow = 'inbound';
