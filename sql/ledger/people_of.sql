-- The people to whom some ids of the source platform point.
SELECT value AS source_person, person_key
FROM crm.person_pointer
WHERE
    account_id = :account_id
    AND kind = 'platform'
    AND value = any(CAST(:source_people AS text []))
