-- Those of some numbers that were given with several email addresses.
SELECT phone
FROM crm.tracked_lead
WHERE
    account_id = :account_id
    AND phone = any(CAST(:phones AS text []))
    AND email IS NOT NULL
    AND rejected_because IS NULL
GROUP BY phone
HAVING count(DISTINCT email) > 1
