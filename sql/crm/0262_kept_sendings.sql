-- A sending is kept when it has ended, with the way it went, and so is each refusal: "what happened
-- to this person?" is answered from both. They are purged with the cycles.
ALTER TABLE crm.sending
ADD COLUMN route text,
ADD COLUMN ended_at timestamptz;

DROP INDEX crm.sending_by_account;

CREATE INDEX sending_under_way ON crm.sending (account_id) WHERE ended_at IS NULL;

CREATE INDEX sending_of_cycle ON crm.sending (account_id, cycle_id);

CREATE INDEX sending_by_end ON crm.sending (ended_at);

CREATE TABLE crm.refusal (
    refusal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    operation_id bigint NOT NULL,
    cycle_id bigint NOT NULL,
    refused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    error_code text NOT NULL,
    error_message text
);

CREATE INDEX refusal_of_operation ON crm.refusal (operation_id);

CREATE INDEX refusal_by_time ON crm.refusal (refused_at);

-- Which records might have stood for a person, where there were several.
CREATE TABLE crm.candidate (
    operation_id bigint PRIMARY KEY,
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    chosen text NOT NULL,
    others text [] NOT NULL,
    looked_at timestamptz NOT NULL
);
