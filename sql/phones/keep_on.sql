-- The numbers are those of what is read back in this transaction.
UPDATE crm.org_phones_kept
SET kept_at = now()
WHERE account_id = :account_id
