-- Whether several flows may want something of people of the account.
SELECT EXISTS (
    SELECT FROM crm.operation AS o
    WHERE o.account_id = :account_id AND o.kind = 'person' AND o.intent ? 'unless_edited'
) AS some
