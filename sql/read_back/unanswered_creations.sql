-- Creations that accounts of an org have asked for and that may be there, since no answer is known.
SELECT o.kind, o.sobject, o.intent
FROM crm.account_org AS a
INNER JOIN crm.operation AS o ON a.account_id = o.account_id
WHERE
    a.organization_id = :organization_id
    AND o.kind IN ('person', 'record')
    AND o.state IN ('pending', 'in_flight')
    AND (
        (o.action = 'create' AND o.sent_at IS NOT NULL)
        OR o.operation_id IN (
            SELECT unnest(s.operation_ids)
            FROM crm.sending AS s
            WHERE s.account_id = o.account_id AND s.ended_at IS NULL AND s.action = 'create'
        )
    )
