-- Those of an account who were erased, by the hashes of their addresses; not those whose removal is
-- still to be done, or was asked for while this is looked at.
SELECT e.digest
FROM crm.erased AS e
WHERE
    e.account_id = :account_id
    AND e.verb = 'erase'
    AND NOT EXISTS (
        SELECT FROM crm.request AS r
        WHERE r.account_id = e.account_id AND r.digest = e.digest AND r.state = 'pending'
    )
