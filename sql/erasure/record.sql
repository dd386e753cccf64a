DELETE FROM crm.record
WHERE
    account_id = :account_id
    AND (
        ref_keys && ARRAY(SELECT 'person:' || k FROM unnest(CAST(:person_keys AS bigint [])) AS k)
        OR natural_key = any(CAST(:natural_keys AS text []))
    )
