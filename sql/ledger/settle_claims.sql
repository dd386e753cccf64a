-- Settles the claims of an account: with the people's records; or with nothing, and whichever
-- account comes next may create them. A claim stays while it is not known.
WITH made AS (
    UPDATE crm.org_person AS c
    SET sobject = i.sobject, salesforce_id = i.salesforce_id, settled_at = clock_timestamp()
    FROM crm.person AS p
    INNER JOIN crm.identity AS i ON p.account_id = i.account_id AND p.person_key = i.person_key
    WHERE
        c.account_id = :account_id
        AND c.settled_at IS NULL
        AND p.account_id = :account_id
        AND p.address = c.address_key
)

DELETE FROM crm.org_person AS c
WHERE
    c.account_id = :account_id
    AND c.settled_at IS NULL
    AND NOT EXISTS (
        SELECT FROM crm.person AS p
        INNER JOIN crm.operation AS o
            ON
                o.account_id = p.account_id
                AND o.natural_key = 'person:' || p.person_key
                AND o.state = 'in_flight'
        WHERE p.account_id = :account_id AND p.address = c.address_key
    )
    AND NOT EXISTS (
        SELECT FROM crm.person AS p
        INNER JOIN crm.identity AS i ON p.account_id = i.account_id AND p.person_key = i.person_key
        WHERE p.account_id = :account_id AND p.address = c.address_key
    )
