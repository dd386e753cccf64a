DELETE FROM crm.person_alias
WHERE
    account_id = :account_id
    AND (
        person_key = any(CAST(:person_keys AS bigint []))
        OR address = any(CAST(:addresses AS text []))
    )
