UPDATE crm.person AS p
SET address = n.address, as_of = n.as_of
FROM
    jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (
        person_key bigint,
        address text,
        as_of timestamptz
    )
WHERE p.person_key = n.person_key
