-- The leads with one of some numbers that are about somebody.
SELECT lead_id, as_of, email, phone, address
FROM crm.tracked_lead
WHERE
    account_id = :account_id
    AND phone = any(CAST(:phones AS text []))
    AND rejected_because IS NULL
ORDER BY as_of, lead_id
