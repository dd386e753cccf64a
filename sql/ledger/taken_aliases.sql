-- How many people came with an address that is somebody else's, and one of them.
SELECT count(*) AS number, min(a.person_key) AS person_key
FROM crm.person_alias AS a
WHERE a.account_id = :account_id AND a.taken
