-- Whoever else stands for a record of the person: what stood there may be the person's.
DELETE FROM crm.replaced_value
WHERE
    account_id = :account_id
    AND (
        operation_id = any(CAST(:operation_ids AS bigint []))
        OR salesforce_id = any(CAST(:record_ids AS text []))
    )
