-- Operations that are being sent right now, noted in one row before the first request: after a
-- crash each of them is looked up. The row is gone when every answer is recorded.
CREATE TABLE crm.sending (
    sending_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    cycle_id bigint NOT NULL,
    sobject text NOT NULL,
    action text NOT NULL,
    operation_ids bigint [] NOT NULL,
    sent_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX sending_by_account ON crm.sending (account_id);
