-- The ledger of many accounts at once; days are filled by themselves, as no trigger counts them.
SET LOCAL session_replication_role = replica;

INSERT INTO crm.account (account_id, client_id, name, login_url, enabled, settings, activated_at)
SELECT 'a' || lpad(CAST(n AS text), 4, '0'), 'client-' || n, 'Client ' || n, 'https://a' || n ||
    '.my.salesforce.com', true, '{}', now()
FROM generate_series(1, :accounts) AS n;

INSERT INTO crm.sync_state (account_id, state, started_at, finished_at, api_used, api_limit)
SELECT account_id, 'Complete', now(), now(), 1000, 100000
FROM crm.account;

INSERT INTO crm.cycle (account_id, run_id, state, started_at, finished_at, counts)
SELECT account_id, 'benchmark', 'Complete', now() - n * interval '1 hour', now() - n * interval '1
    hour', '{"api_calls": 12}'
FROM crm.account, generate_series(1, 100) AS n;

INSERT INTO crm.person (account_id, address, as_of)
SELECT 'a' || lpad(CAST(1 + n % :accounts AS text), 4, '0'), 'p' || n || '@example.com', now()
FROM generate_series(0, :operations / :people - 1) AS n;

INSERT INTO crm.operation (account_id, flow, kind, natural_key, version, person_key, as_of,
    content_hash, intent, state, sobject, action, created_at, finished_at, error_code, reason)
SELECT p.account_id, 'webinars', CASE n WHEN 1 THEN 'person' ELSE 'activity' END, CASE n WHEN 1 THEN
    'person:' ELSE 'registration:' END || p.person_key * 100 + n, 1, p.person_key, now(), '\x00',
    '{"Lead": {"LastName": "Last"}}', CASE (p.person_key * :people + n) % 100 WHEN 0 THEN 'pending'
    WHEN 1 THEN 'exhausted' WHEN 2 THEN 'failed' WHEN 3 THEN 'rejected' ELSE 'done' END, CASE n WHEN
    1 THEN 'Lead' ELSE 'Event' END, 'create', now() - interval '1 day', now(), CASE (p.person_key *
    :people + n) % 100 WHEN 1 THEN 'A' WHEN 2 THEN 'B' END, NULL
FROM crm.person AS p, generate_series(1, :people) AS n;

INSERT INTO daily.delivery (account_id, day, flow, kind, object, action, number, late, seconds,
    longest_seconds)
SELECT account_id, CAST(now() AT TIME ZONE 'UTC' AS date) - n, 'webinars', 'person', 'Lead',
    'create', 100 + n % 7, 1, 100, 10
FROM crm.account, generate_series(0, :days - 1) AS n;

INSERT INTO daily.reading (account_id, day, flow, kind, rejected_because, new, changed, known)
SELECT account_id, CAST(now() AT TIME ZONE 'UTC' AS date) - n, 'webinars', 'person', 'filtered', 5,
    0, 0
FROM crm.account, generate_series(0, :days - 1) AS n;

INSERT INTO daily.refusal (account_id, day, flow, object, error_code, number)
SELECT account_id, CAST(now() AT TIME ZONE 'UTC' AS date) - n, 'webinars', 'Lead', 'A', 2
FROM crm.account, generate_series(0, :days - 1) AS n;
