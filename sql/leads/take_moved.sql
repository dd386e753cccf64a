-- The people who have leads from somebody else since they were looked at last; they are looked at now.
WITH taken AS (
    UPDATE crm.tracked_lead
    SET moved = false
    WHERE account_id = :account_id AND moved
    RETURNING person_key
)

SELECT DISTINCT person_key
FROM taken
