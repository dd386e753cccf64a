-- Rows that a person has asked to be read again, by each flow that reads them; a row goes once that flow
-- has recorded what it says.
CREATE TABLE crm.replay_row (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    flow text NOT NULL,
    source text NOT NULL,
    row_id bigint NOT NULL,
    PRIMARY KEY (account_id, flow, source, row_id)
);

COMMENT ON TABLE crm.replay_row
IS 'Rows of a period that is replayed: the next cycle reads them again, whatever their time.';
