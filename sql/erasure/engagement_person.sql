-- The person's Leads and Contacts have no prospect any more: what one left there is taken off.
UPDATE crm.engagement_person
SET email = NULL, columns = '{}', is_due = true, is_to_tell = false
WHERE account_id = :account_id AND email = any(CAST(:addresses AS text []))
