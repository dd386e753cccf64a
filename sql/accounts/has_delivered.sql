-- Whether the ledger is about records of an org: known ones, or some that a lost answer may have made.
SELECT
    EXISTS (SELECT FROM crm.identity AS i WHERE i.account_id = :account_id)
    OR EXISTS (SELECT FROM crm.event_campaign AS c WHERE c.account_id = :account_id)
    OR EXISTS (
        SELECT FROM crm.operation AS o WHERE o.account_id = :account_id AND o.state = 'in_flight'
    )
