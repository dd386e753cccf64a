DELETE FROM crm.opportunity_person
WHERE
    account_id = :account_id
    AND (email = any(:addresses) OR record_id = any(CAST(:record_ids AS text [])))
