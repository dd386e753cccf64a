INSERT INTO crm.person (account_id, address, as_of)
SELECT :account_id, n.address, n.as_of
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (address text, as_of timestamptz)
RETURNING address, person_key
