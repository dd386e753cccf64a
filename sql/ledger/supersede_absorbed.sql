-- People to whom nothing points any more are not written: others stand for them.
UPDATE crm.operation AS o
SET state = 'superseded', finished_at = clock_timestamp()
FROM crm.person AS p
WHERE
    p.account_id = :account_id
    AND p.address IS NULL
    AND o.account_id = :account_id
    AND o.natural_key = 'person:' || p.person_key
    AND o.state IN ('pending', 'failed', 'exhausted')
