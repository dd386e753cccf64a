-- These people have another address, or none; set apart from the next step, since two may swap.
UPDATE crm.person
SET address = NULL
WHERE person_key = any(CAST(:person_keys AS bigint []))
