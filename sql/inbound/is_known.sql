SELECT EXISTS (
    SELECT FROM crm.person WHERE account_id = :account_id AND address = any(:addresses)
)
