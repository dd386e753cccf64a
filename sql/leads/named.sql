-- Some tracked leads.
SELECT lead_id, happened_at, as_of, rejected_because, email, phone, address, person_key, columns
FROM crm.tracked_lead
WHERE account_id = :account_id AND lead_id = any(CAST(:lead_ids AS text []))
ORDER BY lead_id
