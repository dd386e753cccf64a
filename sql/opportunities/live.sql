-- The opportunities of an account that are not deleted, in the order of their Ids.
SELECT
    o.opportunity_id,
    o.record,
    o.amount,
    o.in_filter,
    o.fired ? 'matching_filter' AS has_fired
FROM crm.opportunity AS o
WHERE o.account_id = :account_id AND NOT o.deleted AND o.opportunity_id > :after
ORDER BY o.opportunity_id
LIMIT :limit
