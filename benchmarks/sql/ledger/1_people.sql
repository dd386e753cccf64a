-- People of ten accounts, one of them the one that is measured.
INSERT INTO crm.person (account_id, address, as_of)
SELECT
    CASE n %% 10 WHEN 0 THEN %(account)s ELSE 'other-' || n %% 10 END,
    'former' || n || '@example.com',
    now() - interval '90 days'
FROM generate_series(1, %(people)s::bigint) AS n
