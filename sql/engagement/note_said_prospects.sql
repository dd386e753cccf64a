-- What was wanted of these prospects was said; those of :open wait for their Leads and Contacts.
UPDATE crm.prospect
SET is_due = false, is_open = prospect_id = any(CAST(:open AS text []))
WHERE account_id = :account_id AND prospect_id = any(CAST(:prospect_ids AS text []))
