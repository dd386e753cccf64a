-- What happened each day, by account: counted where it happens, in the same transaction, and never
-- purged. What the tables of former days still hold is counted here; ten million operations take about
-- a minute. Days are UTC. Nothing refers to crm.account: the numbers of an account outlive it.
CREATE SCHEMA daily;

COMMENT ON SCHEMA daily IS 'Numbers by day and account. People read them by the views of `reporting`.';

CREATE FUNCTION daily.of(moment timestamptz) RETURNS date
IMMUTABLE LANGUAGE sql
RETURN (moment AT TIME ZONE 'UTC')::date;

CREATE TABLE daily.account (
    account_id text PRIMARY KEY,
    client_id text NOT NULL,
    name text NOT NULL,
    added_at timestamptz NOT NULL,
    removed_at timestamptz
);

CREATE TABLE daily.cycle (
    account_id text NOT NULL,
    day date NOT NULL,
    complete bigint NOT NULL,
    failed bigint NOT NULL,
    paused bigint NOT NULL,
    held bigint NOT NULL,
    cut_off bigint NOT NULL,
    seconds double precision NOT NULL,
    longest_seconds double precision NOT NULL,
    api_calls bigint NOT NULL,
    api_used integer,
    api_limit integer,
    waiting bigint,
    exhausted bigint,
    PRIMARY KEY (account_id, day)
) WITH (fillfactor = 80);

CREATE TABLE daily.outcome (
    account_id text NOT NULL,
    day date NOT NULL,
    topic text NOT NULL,
    outcome text NOT NULL,
    number bigint NOT NULL,
    PRIMARY KEY (account_id, day, topic, outcome)
) WITH (fillfactor = 80);

CREATE TABLE daily.api_call (
    account_id text NOT NULL,
    day date NOT NULL,
    kind text NOT NULL,
    number bigint NOT NULL,
    PRIMARY KEY (account_id, day, kind)
) WITH (fillfactor = 80);

CREATE TABLE daily.reading (
    account_id text NOT NULL,
    day date NOT NULL,
    flow text NOT NULL,
    kind text NOT NULL,
    rejected_because text NOT NULL,
    new bigint NOT NULL,
    changed bigint NOT NULL,
    known bigint,
    PRIMARY KEY (account_id, day, flow, kind, rejected_because)
) WITH (fillfactor = 80);

CREATE TABLE daily.delivery (
    account_id text NOT NULL,
    day date NOT NULL,
    flow text NOT NULL,
    kind text NOT NULL,
    object text NOT NULL,
    action text NOT NULL,
    number bigint NOT NULL,
    late bigint,
    seconds double precision NOT NULL,
    longest_seconds double precision NOT NULL,
    PRIMARY KEY (account_id, day, flow, kind, object, action)
) WITH (fillfactor = 80);

CREATE TABLE daily.refusal (
    account_id text NOT NULL,
    day date NOT NULL,
    flow text NOT NULL,
    object text NOT NULL,
    error_code text NOT NULL,
    number bigint NOT NULL,
    PRIMARY KEY (account_id, day, flow, object, error_code)
) WITH (fillfactor = 80);

CREATE TABLE daily.incident (
    account_id text NOT NULL,
    day date NOT NULL,
    error_code text NOT NULL,
    object text NOT NULL,
    opened bigint NOT NULL,
    closed bigint NOT NULL,
    PRIMARY KEY (account_id, day, error_code, object)
) WITH (fillfactor = 80);

CREATE TABLE daily.request (
    account_id text NOT NULL,
    day date NOT NULL,
    kind text NOT NULL,
    door text NOT NULL,
    received bigint NOT NULL,
    done bigint NOT NULL,
    failed bigint NOT NULL,
    seconds double precision NOT NULL,
    longest_seconds double precision NOT NULL,
    counted_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, day, kind, door)
);

CREATE TABLE daily.stock (
    account_id text NOT NULL,
    day date NOT NULL,
    what text NOT NULL,
    object text NOT NULL,
    number bigint NOT NULL,
    counted_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, day, what, object)
);

COMMENT ON TABLE daily.stock IS 'What there is of something on a day, as it was counted last on it.';

-- Rows come in the order of days: of a week of all accounts these find the few pages.
CREATE INDEX cycle_of_day ON daily.cycle USING brin (day) WITH (pages_per_range = 16, autosummarize);
CREATE INDEX outcome_of_day ON daily.outcome USING brin (day) WITH (pages_per_range = 16, autosummarize);
CREATE INDEX api_call_of_day ON daily.api_call USING brin (day) WITH (pages_per_range = 16, autosummarize);
CREATE INDEX reading_of_day ON daily.reading USING brin (day) WITH (pages_per_range = 16, autosummarize);
CREATE INDEX delivery_of_day ON daily.delivery USING brin (day) WITH (pages_per_range = 16, autosummarize);
CREATE INDEX refusal_of_day ON daily.refusal USING brin (day) WITH (pages_per_range = 16, autosummarize);
CREATE INDEX incident_of_day ON daily.incident USING brin (day) WITH (pages_per_range = 16, autosummarize);
CREATE INDEX request_of_day ON daily.request USING brin (day) WITH (pages_per_range = 16, autosummarize);
CREATE INDEX stock_of_day ON daily.stock USING brin (day) WITH (pages_per_range = 16, autosummarize);

-- The name of an account, also when it is renamed or removed.
CREATE FUNCTION daily.name_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        UPDATE daily.account SET removed_at = now() WHERE account_id = old.account_id;
        RETURN NULL;
    END IF;
    INSERT INTO daily.account AS n (account_id, client_id, name, added_at)
    VALUES (new.account_id, new.client_id, new.name, new.created_at)
    ON CONFLICT (account_id) DO UPDATE
    SET
        client_id = excluded.client_id,
        name = excluded.name,
        added_at = least(n.added_at, excluded.added_at),
        removed_at = NULL;
    RETURN NULL;
END $$;

CREATE TRIGGER named AFTER INSERT OR DELETE OR UPDATE OF client_id, name ON crm.account
FOR EACH ROW EXECUTE FUNCTION daily.name_account();

-- A cycle that has ended, with all that it counted. One whose process died has counted nothing.
CREATE FUNCTION daily.count_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    that_day date := daily.of(new.finished_at);
    took double precision := greatest(extract(EPOCH FROM new.finished_at - new.started_at), 0);
BEGIN
    INSERT INTO daily.cycle AS n (
        account_id, day, complete, failed, paused, held, cut_off, seconds, longest_seconds, api_calls,
        api_used, api_limit, waiting, exhausted
    )
    SELECT
        new.account_id,
        that_day,
        (new.state = 'Complete')::int,
        (new.state = 'Failed')::int,
        (new.state = 'Paused')::int,
        (new.state = 'Held')::int,
        (new.counts = '{}')::int,
        took,
        took,
        coalesce((new.counts ->> 'api_calls')::bigint, 0),
        s.api_used,
        s.api_limit,
        (new.counts ->> 'waiting')::bigint,
        (new.counts ->> 'exhausted')::bigint
    FROM (VALUES (new.account_id)) AS a (account_id)
    LEFT JOIN crm.sync_state AS s
        ON a.account_id = s.account_id AND daily.of(s.api_seen_at) = that_day
    ON CONFLICT (account_id, day) DO UPDATE
    SET
        complete = n.complete + excluded.complete,
        failed = n.failed + excluded.failed,
        paused = n.paused + excluded.paused,
        held = n.held + excluded.held,
        cut_off = n.cut_off + excluded.cut_off,
        seconds = n.seconds + excluded.seconds,
        longest_seconds = greatest(n.longest_seconds, excluded.longest_seconds),
        api_calls = n.api_calls + excluded.api_calls,
        api_used = greatest(n.api_used, excluded.api_used),
        api_limit = coalesce(excluded.api_limit, n.api_limit),
        waiting = coalesce(excluded.waiting, n.waiting),
        exhausted = coalesce(excluded.exhausted, n.exhausted);

    INSERT INTO daily.outcome AS n (account_id, day, topic, outcome, number)
    SELECT new.account_id, that_day, t.topic, o.outcome, o.number::bigint
    FROM jsonb_each(new.counts -> 'topics') AS t (topic, outcomes)
    CROSS JOIN LATERAL jsonb_each_text(t.outcomes) AS o (outcome, number)
    ORDER BY t.topic, o.outcome
    ON CONFLICT (account_id, day, topic, outcome) DO UPDATE
    SET number = n.number + excluded.number;

    INSERT INTO daily.api_call AS n (account_id, day, kind, number)
    SELECT new.account_id, that_day, c.kind, c.number::bigint
    FROM jsonb_each_text(new.counts -> 'api_calls_by_kind') AS c (kind, number)
    ORDER BY c.kind
    ON CONFLICT (account_id, day, kind) DO UPDATE
    SET number = n.number + excluded.number;
    RETURN NULL;
END $$;

CREATE TRIGGER counted AFTER UPDATE ON crm.cycle
FOR EACH ROW
WHEN (old.finished_at IS NULL AND new.finished_at IS NOT NULL)
EXECUTE FUNCTION daily.count_cycle();

-- Refused tries, by the error of the org.
CREATE FUNCTION daily.count_refusals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO daily.refusal AS n (account_id, day, flow, object, error_code, number)
    SELECT
        r.account_id,
        daily.of(r.refused_at),
        o.flow,
        coalesce(o.sobject, ''),
        r.error_code,
        count(*)
    FROM refused AS r
    INNER JOIN crm.operation AS o ON r.operation_id = o.operation_id
    GROUP BY r.account_id, daily.of(r.refused_at), o.flow, coalesce(o.sobject, ''), r.error_code
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (account_id, day, flow, object, error_code) DO UPDATE
    SET number = n.number + excluded.number;
    RETURN NULL;
END $$;

CREATE TRIGGER counted AFTER INSERT ON crm.refusal
REFERENCING NEW TABLE AS refused
FOR EACH STATEMENT EXECUTE FUNCTION daily.count_refusals();

-- Incidents are opened and closed by the one who holds the account.
CREATE FUNCTION daily.count_incident() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO daily.incident AS n (account_id, day, error_code, object, opened, closed)
    VALUES (
        new.account_id,
        daily.of(CASE TG_OP WHEN 'INSERT' THEN new.first_seen ELSE new.closed_at END),
        new.code,
        new.subject,
        (TG_OP = 'INSERT')::int,
        (TG_OP = 'UPDATE')::int
    )
    ON CONFLICT (account_id, day, error_code, object) DO UPDATE
    SET opened = n.opened + excluded.opened, closed = n.closed + excluded.closed;
    RETURN NULL;
END $$;

CREATE TRIGGER opened AFTER INSERT ON crm.incident
FOR EACH ROW EXECUTE FUNCTION daily.count_incident();

CREATE TRIGGER closed AFTER UPDATE OF closed_at ON crm.incident
FOR EACH ROW
WHEN (old.closed_at IS NULL AND new.closed_at IS NOT NULL)
EXECUTE FUNCTION daily.count_incident();

INSERT INTO daily.account (account_id, client_id, name, added_at)
SELECT account_id, client_id, name, created_at FROM crm.account;

INSERT INTO daily.cycle (
    account_id, day, complete, failed, paused, held, cut_off, seconds, longest_seconds, api_calls,
    waiting, exhausted
)
SELECT
    c.account_id,
    daily.of(c.finished_at) AS day,
    count(*) FILTER (WHERE c.state = 'Complete'),
    count(*) FILTER (WHERE c.state = 'Failed'),
    count(*) FILTER (WHERE c.state = 'Paused'),
    count(*) FILTER (WHERE c.state = 'Held'),
    count(*) FILTER (WHERE c.counts = '{}'),
    sum(greatest(extract(EPOCH FROM c.finished_at - c.started_at), 0)),
    max(greatest(extract(EPOCH FROM c.finished_at - c.started_at), 0)),
    coalesce(sum((c.counts ->> 'api_calls')::bigint), 0),
    (array_agg((c.counts ->> 'waiting')::bigint ORDER BY c.cycle_id DESC) FILTER (WHERE c.counts ? 'waiting'))[1],
    (array_agg((c.counts ->> 'exhausted')::bigint ORDER BY c.cycle_id DESC) FILTER (WHERE c.counts ? 'exhausted'))[1]
FROM crm.cycle AS c
WHERE c.finished_at IS NOT NULL
GROUP BY c.account_id, daily.of(c.finished_at)
ORDER BY day;

INSERT INTO daily.outcome (account_id, day, topic, outcome, number)
SELECT c.account_id, daily.of(c.finished_at) AS day, t.topic, o.outcome, sum(o.number::bigint)
FROM crm.cycle AS c
CROSS JOIN LATERAL jsonb_each(c.counts -> 'topics') AS t (topic, outcomes)
CROSS JOIN LATERAL jsonb_each_text(t.outcomes) AS o (outcome, number)
WHERE c.finished_at IS NOT NULL
GROUP BY c.account_id, daily.of(c.finished_at), t.topic, o.outcome
ORDER BY day;

INSERT INTO daily.api_call (account_id, day, kind, number)
SELECT c.account_id, daily.of(c.finished_at) AS day, k.kind, sum(k.number::bigint)
FROM crm.cycle AS c
CROSS JOIN LATERAL jsonb_each_text(c.counts -> 'api_calls_by_kind') AS k (kind, number)
WHERE c.finished_at IS NOT NULL
GROUP BY c.account_id, daily.of(c.finished_at), k.kind
ORDER BY day;

INSERT INTO daily.reading (account_id, day, flow, kind, rejected_because, new, changed)
SELECT
    o.account_id,
    daily.of(o.created_at) AS day,
    o.flow,
    o.kind,
    CASE WHEN o.state = 'rejected' THEN coalesce(o.reason, '') ELSE '' END,
    count(*) FILTER (WHERE o.version = 1),
    count(*) FILTER (WHERE o.version > 1)
FROM crm.operation AS o
GROUP BY 1, 2, 3, 4, 5
ORDER BY day;

INSERT INTO daily.delivery (
    account_id, day, flow, kind, object, action, number, seconds, longest_seconds
)
SELECT
    o.account_id,
    daily.of(o.finished_at) AS day,
    o.flow,
    o.kind,
    o.sobject,
    o.action,
    count(*),
    sum(greatest(extract(EPOCH FROM o.finished_at - o.created_at), 0)),
    max(greatest(extract(EPOCH FROM o.finished_at - o.created_at), 0))
FROM crm.operation AS o
WHERE o.state = 'done' AND o.finished_at IS NOT NULL AND o.sobject IS NOT NULL AND o.action IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY day;

INSERT INTO daily.refusal (account_id, day, flow, object, error_code, number)
SELECT
    r.account_id, daily.of(r.refused_at) AS day, o.flow, coalesce(o.sobject, ''), r.error_code, count(*)
FROM crm.refusal AS r
INNER JOIN crm.operation AS o ON r.operation_id = o.operation_id
GROUP BY 1, 2, 3, 4, 5
ORDER BY day;

INSERT INTO daily.incident (account_id, day, error_code, object, opened, closed)
SELECT e.account_id, e.day, e.code, e.subject, sum(e.opened), sum(e.closed)
FROM (
    SELECT i.account_id, daily.of(i.first_seen) AS day, i.code, i.subject, 1 AS opened, 0 AS closed
    FROM crm.incident AS i
    UNION ALL
    SELECT i.account_id, daily.of(i.closed_at), i.code, i.subject, 0, 1
    FROM crm.incident AS i
    WHERE i.closed_at IS NOT NULL
) AS e
GROUP BY e.account_id, e.day, e.code, e.subject
ORDER BY e.day;
