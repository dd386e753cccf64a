-- Leaves out operations about people whom an operator gave up, until these are there.
UPDATE crm.operation AS a
SET
    state = 'left_out',
    reason_code = 'PERSON_DROPPED',
    reason = 'its person was dropped by an operator',
    finished_at = clock_timestamp()
FROM crm.operation AS p
WHERE
    EXISTS (SELECT FROM crm.operation AS d WHERE d.account_id = :account_id AND d.state = 'dropped')
    AND p.account_id = :account_id
    AND p.state = 'dropped'
    AND p.kind = 'person'
    AND NOT EXISTS (
        SELECT FROM crm.operation AS newer
        WHERE
            newer.account_id = p.account_id
            AND newer.natural_key = p.natural_key
            AND newer.version > p.version
    )
    AND NOT EXISTS (
        SELECT FROM crm.identity AS i
        WHERE i.account_id = p.account_id AND i.person_key = p.person_key
    )
    AND a.account_id = p.account_id
    AND a.person_key = p.person_key
    AND a.kind <> 'person'
    AND a.state = 'pending'
