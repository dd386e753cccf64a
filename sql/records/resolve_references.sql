-- References that went out by the key of their record: it is held by now, and its Id is noted.
UPDATE crm.record AS r
SET ref_ids = (
    SELECT array_agg(coalesce(ref.id, held.salesforce_id) ORDER BY ref.place)
    FROM unnest(r.ref_keys, r.ref_ids) WITH ORDINALITY AS ref (key, id, place)
    LEFT JOIN crm.record AS held
        ON held.account_id = r.account_id AND ref.key = held.natural_key
)
WHERE r.account_id = :account_id AND r.natural_key = any(CAST(:natural_keys AS text []))
