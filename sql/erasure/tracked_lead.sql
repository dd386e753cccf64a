-- That the lead is there stays, so that it is nothing new.
UPDATE crm.tracked_lead
SET
    rejected_because = :reason,
    email = NULL,
    phone = NULL,
    address = NULL,
    person_key = NULL,
    columns = '{}',
    moved = false
WHERE account_id = :account_id AND lead_id = any(CAST(:lead_ids AS text []))
