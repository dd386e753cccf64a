-- Whether an account has any operations that are left out, or people or campaigns that were dropped, or
-- people who have waited since an earlier cycle or of whom nothing is wanted any more, people for whom others
-- stand, or fields that others emptied. Nearly none has.
SELECT
    EXISTS (
        SELECT FROM crm.operation AS o WHERE o.account_id = :account_id AND o.state = 'left_out'
    ) AS left_out,
    EXISTS (
        SELECT FROM crm.operation AS d
        WHERE d.account_id = :account_id AND d.kind IN ('person', 'campaign') AND d.state = 'dropped'
    ) AS dropped,
    EXISTS (
        SELECT FROM crm.operation AS p
        WHERE
            p.account_id = :account_id
            AND p.kind = 'person'
            AND p.state = 'pending'
            AND (p.read_by < :cycle_id OR p.intent ? 'withdrawn')
    ) AS still_waiting,
    EXISTS (
        SELECT FROM crm.person AS a WHERE a.account_id = :account_id AND a.address IS NULL
    ) AS absorbed,
    EXISTS (
        SELECT FROM crm.emptied_field AS e WHERE e.account_id = :account_id
    ) AS emptied
