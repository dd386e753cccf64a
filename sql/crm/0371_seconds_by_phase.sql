-- The seconds of each day's cycles by phase, as each cycle has them (`seconds_by_phase`): counted when it
-- ends. Cycles that ended before have none.
CREATE TABLE daily.phase (
    account_id text NOT NULL,
    day date NOT NULL,
    phase text NOT NULL,
    seconds double precision NOT NULL,
    longest_seconds double precision NOT NULL,
    PRIMARY KEY (account_id, day, phase)
) WITH (fillfactor = 80);

COMMENT ON TABLE daily.phase IS 'Seconds of cycles by phase.';

CREATE INDEX phase_of_day ON daily.phase USING brin (day) WITH (pages_per_range = 16, autosummarize);

CREATE FUNCTION daily.count_phases() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO daily.phase AS n (account_id, day, phase, seconds, longest_seconds)
    SELECT
        new.account_id,
        daily.of(new.finished_at),
        p.phase,
        p.seconds::double precision,
        p.seconds::double precision
    FROM jsonb_each_text(new.counts -> 'seconds_by_phase') AS p (phase, seconds)
    ORDER BY p.phase
    ON CONFLICT (account_id, day, phase) DO UPDATE
    SET
        seconds = n.seconds + excluded.seconds,
        longest_seconds = greatest(n.longest_seconds, excluded.longest_seconds);
    RETURN NULL;
END $$;

CREATE TRIGGER phases_counted AFTER UPDATE ON crm.cycle
FOR EACH ROW
WHEN (old.finished_at IS NULL AND new.finished_at IS NOT NULL AND new.counts ? 'seconds_by_phase')
EXECUTE FUNCTION daily.count_phases();

CREATE VIEW reporting.phases AS
SELECT p.day, p.account_id, p.phase, p.seconds, p.longest_seconds, p.day < daily.of(now()) AS day_is_over
FROM daily.phase AS p;

COMMENT ON VIEW reporting.phases
IS 'Where the time of cycles goes, by the day they ended on: one row per day, account and phase. Together '
   'these are the seconds of reporting.cycles, but for what it takes to begin and to store a cycle, and '
   'for cycles whose process died.';
COMMENT ON COLUMN reporting.phases.day IS 'The day, UTC.';
COMMENT ON COLUMN reporting.phases.account_id IS 'The account.';
COMMENT ON COLUMN reporting.phases.phase
IS 'open: logging in, and looking at the org; retry: trying again what was refused; read: the warehouse; '
   'read back: changes of the org; send: matching and writing; tell: the source platform; settle: '
   'requests, sums and the account''s state.';
COMMENT ON COLUMN reporting.phases.seconds IS 'How long it took, of all cycles together.';
COMMENT ON COLUMN reporting.phases.longest_seconds IS 'How long it took in the cycle where it took longest.';
COMMENT ON COLUMN reporting.phases.day_is_over IS 'False for today: its numbers still grow.';
