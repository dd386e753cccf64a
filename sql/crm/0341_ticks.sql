-- How often the schedule and the sensors have ticked: what does not tick asks for no account.

CREATE TABLE crm.tick (
    name text PRIMARY KEY,
    ticks bigint NOT NULL DEFAULT 0,
    failures bigint NOT NULL DEFAULT 0,
    ticked_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

COMMENT ON TABLE crm.tick IS 'Ticks of each schedule and sensor since the beginning, and those that failed.';
