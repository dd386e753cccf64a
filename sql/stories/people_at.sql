-- The people who have an address, or had it beside another one, and those who stand for them.
WITH RECURSIVE known AS (
    SELECT person_key, successor FROM crm.person
    WHERE account_id = :account_id AND address = :address
    UNION
    SELECT p.person_key, p.successor
    FROM crm.person_alias AS a
    INNER JOIN crm.person AS p ON a.person_key = p.person_key
    WHERE a.account_id = :account_id AND a.address = :address
    UNION
    SELECT p.person_key, p.successor
    FROM crm.tracked_lead AS t
    INNER JOIN crm.person AS p ON t.person_key = p.person_key
    WHERE t.account_id = :account_id AND t.phone = :address
    UNION
    SELECT p.person_key, p.successor
    FROM crm.org_phone AS o
    INNER JOIN crm.identity AS i
        ON o.account_id = i.account_id AND o.salesforce_id = i.salesforce_id
    INNER JOIN crm.person AS p ON i.person_key = p.person_key
    WHERE o.account_id = :account_id AND o.phone = :address
    UNION
    SELECT p.person_key, p.successor
    FROM known AS k
    INNER JOIN crm.person AS p ON k.successor = p.person_key
)

SELECT
    person_key,
    NULL AS natural_key
FROM known
ORDER BY person_key
