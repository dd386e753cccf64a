-- Whether the ledger is about records of an org: some that it wrote or read, or some that a lost
-- answer may have made. People whose answer was lost are pending again as soon as they are to be
-- sought.
SELECT
    EXISTS (SELECT FROM crm.identity AS i WHERE i.account_id = :account_id)
    OR EXISTS (SELECT FROM crm.event_campaign AS c WHERE c.account_id = :account_id)
    OR EXISTS (SELECT FROM crm.record AS r WHERE r.account_id = :account_id)
    OR EXISTS (SELECT FROM crm.opportunity AS p WHERE p.account_id = :account_id)
    OR EXISTS (SELECT FROM crm.org_phone AS n WHERE n.account_id = :account_id)
    OR EXISTS (
        SELECT FROM crm.operation AS o
        WHERE
            o.account_id = :account_id
            AND (
                o.state = 'in_flight'
                OR (
                    o.state IN ('pending', 'superseded')
                    AND o.sent_at IS NOT NULL
                    AND o.error_code IS NULL
                )
            )
    )
