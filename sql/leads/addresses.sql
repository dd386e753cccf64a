-- By which address the persons of some leads are known, and since when that is said.
SELECT lead_id, address, as_of
FROM crm.tracked_lead
WHERE
    account_id = :account_id
    AND lead_id = any(CAST(:lead_ids AS text []))
    AND rejected_because IS NULL
