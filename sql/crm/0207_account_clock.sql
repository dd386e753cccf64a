-- Of two things that are wanted the later one holds: a clock that is set back must not make what is
-- wanted now older than what was wanted before.
CREATE TABLE crm.account_clock (
    account_id text PRIMARY KEY,
    said_at timestamptz NOT NULL
);

COMMENT ON TABLE crm.account_clock
IS 'The latest time at which each account said what it wants, whatever clocks showed since.';

INSERT INTO crm.account_clock (account_id, said_at)
SELECT o.account_id, max(o.as_of)
FROM crm.operation AS o
WHERE o.kind IN ('record', 'message', 'campaign') AND o.as_of <= now()
GROUP BY o.account_id;
