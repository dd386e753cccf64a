-- The kinds of operations of which the account has some that are pending.
SELECT k.kind
FROM unnest(ARRAY['person', 'activity', 'campaign', 'member', 'record']) AS k (kind)
WHERE EXISTS (
    SELECT FROM crm.operation AS o
    WHERE o.account_id = :account_id AND o.kind = k.kind AND o.state = 'pending'
)
