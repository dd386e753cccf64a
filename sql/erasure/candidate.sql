-- Those of the person's operations; and those of others among whose candidates a record of the person
-- was, as of people with one number.
DELETE FROM crm.candidate
WHERE
    operation_id = any(CAST(:operation_ids AS bigint []))
    OR (account_id = :account_id AND others || chosen && CAST(:record_ids AS text []))
