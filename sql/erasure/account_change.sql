DELETE FROM crm.account_change
WHERE
    account_id = :account_id
    AND choice LIKE 'filter %'
    AND lower(btrim(substr(choice, length('filter ') + 1))) = any(:addresses)
