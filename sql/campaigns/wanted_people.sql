-- Those of these people whose record the org has, or was asked for.
SELECT k.person_key
FROM unnest(CAST(:person_keys AS bigint [])) AS k (person_key)
WHERE
    EXISTS (
        SELECT FROM crm.operation AS o
        WHERE o.account_id = :account_id AND o.natural_key = 'person:' || k.person_key
    )
    OR EXISTS (
        SELECT FROM crm.identity AS i
        WHERE i.account_id = :account_id AND i.person_key = k.person_key
    )
