-- People with tracked leads, in the order of their numbers.
SELECT DISTINCT person_key
FROM crm.tracked_lead
WHERE account_id = :account_id AND person_key > :after
ORDER BY person_key
LIMIT :at_most
