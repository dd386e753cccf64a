-- These people have another address, or somebody has left theirs: what was said of them is older
-- than whatever is read of them now, however long ago that registration was.
WITH said AS (
    UPDATE crm.operation AS o
    SET as_of = '1700-01-01'
    FROM unnest(CAST(:person_keys AS bigint [])) AS p (person_key)
    WHERE o.account_id = :account_id AND o.natural_key = 'person:' || p.person_key
)

UPDATE crm.identity
SET as_of = '1700-01-01'
WHERE account_id = :account_id AND person_key = any(CAST(:person_keys AS bigint []))
