-- Keeps back what is to be sent, but for what a plan says will come to something.
UPDATE crm.operation AS o
SET state = 'held'
FROM crm.operation AS w
LEFT JOIN crm.person AS p ON w.person_key = p.person_key
WHERE
    o.operation_id = w.operation_id
    AND w.account_id = :account_id
    AND w.state = 'pending'
    AND w.kind <> 'message'
    AND NOT EXISTS (
        SELECT FROM crm.plan_row AS r
        WHERE
            r.plan_id = :plan_id
            AND r.about = crm.plan_about(w.kind, w.natural_key, p.address)
            AND r.outcome NOT IN ('refused', 'waiting', 'rejected')
    )
