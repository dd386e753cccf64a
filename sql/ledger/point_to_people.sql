INSERT INTO crm.person_pointer (account_id, kind, value, person_key, as_of)
SELECT :account_id, :kind, n.source_person, n.person_key, n.as_of
FROM
    jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (
        source_person text,
        person_key bigint,
        as_of timestamptz
    )
ON CONFLICT (account_id, kind, value) DO UPDATE
SET person_key = excluded.person_key, as_of = excluded.as_of
