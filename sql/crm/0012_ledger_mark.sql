-- By which an account's next cycle sees whether these tables are still those that the last one
-- wrote, or an older copy that somebody restored.

CREATE TABLE crm.ledger_mark (
    account_id text PRIMARY KEY,
    server_started_at timestamptz NOT NULL,
    database_id oid NOT NULL,
    written_by bigint NOT NULL,
    unsure boolean NOT NULL DEFAULT false
);

COMMENT ON COLUMN crm.ledger_mark.server_started_at
IS 'Of the PostgreSQL that wrote this: no copy of files is restored without another start.';
COMMENT ON COLUMN crm.ledger_mark.written_by
IS 'The transaction that wrote this row: a row that was loaded from a dump has another one.';
COMMENT ON COLUMN crm.ledger_mark.unsure
IS 'It may be an older copy: what is to be sent is sought in the org first.';
