-- The pace: who is being synced right now, and what people have been alerted to.

CREATE VIEW crm.held_account AS
SELECT a.account_id
FROM crm.account AS a
INNER JOIN (
    SELECT (l.classid::bigint << 32) | l.objid::bigint AS lock_key
    FROM pg_locks AS l
    INNER JOIN pg_database AS d ON l.database = d.oid
    WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND d.datname = current_database()
) AS held ON held.lock_key = hashtextextended('crm_pipeline account ' || a.account_id, 0);

COMMENT ON VIEW crm.held_account
IS 'Accounts whose lock (sql/ledger/lock_account.sql) some process holds: their cycle runs.';

CREATE TABLE crm.alert (
    alert_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    cause text NOT NULL,
    detail text NOT NULL,
    message text NOT NULL,
    raised_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    closed_at timestamptz
);

CREATE UNIQUE INDEX alert_open ON crm.alert (account_id, cause) WHERE closed_at IS NULL;

COMMENT ON TABLE crm.alert
IS 'What people are told about an account: once per cause, and again when its detail changes.';
COMMENT ON COLUMN crm.alert.sent_at IS 'When every channel had taken it; NULL: to be sent still.';
