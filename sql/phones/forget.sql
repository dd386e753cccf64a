-- Forgets the numbers of an account's org; they are read anew when they are needed.
WITH forgotten AS (
    DELETE FROM crm.org_phone
    WHERE account_id = :account_id
)

DELETE FROM crm.org_phones_kept
WHERE account_id = :account_id
