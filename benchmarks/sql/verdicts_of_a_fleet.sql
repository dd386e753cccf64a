-- Two old verdicts of eight checks about each account.
INSERT INTO asset_check_executions (
    asset_key, check_name, partition, run_id, execution_status, create_timestamp
)
SELECT
    '["thing"]',
    'check ' || c,
    'acct-' || a,
    'run ' || v,
    'SUCCEEDED',
    now() - make_interval(days => 40 - v)
FROM
    generate_series(1, %(accounts)s::int) AS a,
    generate_series(1, 8) AS c,
    generate_series(1, 2) AS v
