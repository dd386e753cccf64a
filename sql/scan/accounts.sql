SELECT DISTINCT e.account_id
FROM crm.erased AS e
INNER JOIN crm.account AS a ON e.account_id = a.account_id
WHERE e.verb = 'erase'
ORDER BY e.account_id
