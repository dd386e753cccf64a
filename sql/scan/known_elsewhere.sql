-- Those of some addresses that belong to people of any account.
SELECT DISTINCT address FROM crm.person WHERE address = any(CAST(:addresses AS text []))
