DELETE FROM crm.member_row
WHERE
    account_id = :account_id
    AND (
        natural_key = any(CAST(:natural_keys AS text []))
        OR of_session = any(CAST(:natural_keys AS text []))
    )
