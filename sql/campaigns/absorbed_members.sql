-- Memberships that were not sent yet of people for whom others stand now, with these.
SELECT o.natural_key, p.successor, o.as_of, o.intent, o.memory
FROM crm.person AS p
INNER JOIN crm.operation AS o ON p.account_id = o.account_id AND p.person_key = o.person_key
WHERE
    p.account_id = :account_id
    AND p.successor IS NOT NULL
    AND o.kind = 'member'
    AND NOT o.gone
    AND o.state IN ('pending', 'failed', 'exhausted')
