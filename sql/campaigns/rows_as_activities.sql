-- How the activities of some rows stand: the latest version of each, and why it is not sent.
SELECT DISTINCT ON (o.natural_key)
    o.natural_key,
    o.state,
    o.reason
FROM crm.operation AS o
WHERE o.account_id = :account_id AND o.natural_key = any(CAST(:natural_keys AS text []))
ORDER BY o.natural_key, o.version DESC
