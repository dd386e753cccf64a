-- Those of some people who are to be created in a shared org whom no other account claims.
SELECT w.operation_id
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS w (operation_id bigint, address text)
LEFT JOIN crm.org_person AS c
    ON c.organization_id = :organization_id AND w.address = c.address_key
WHERE
    c.address_key IS NULL
    OR crm.is_void(c, :account_id, :looked_up_at, :grace_seconds)
