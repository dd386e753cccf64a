-- Those of some people about whom are several tracked leads.
SELECT person_key
FROM crm.tracked_lead
WHERE account_id = :account_id AND person_key = any(CAST(:person_keys AS bigint []))
GROUP BY person_key
HAVING count(*) > 1
