-- Those of some records that are to be gone with what is taken back, and whether they are already: not
-- those, too, that still wait for an answer or for another try.
SELECT o.intent ->> 'id' AS salesforce_id, bool_or(o.state = 'done') AS is_gone
FROM crm.operation AS o
WHERE
    o.account_id = :account_id
    AND o.kind = 'undo'
    AND o.intent ->> 'fields' IS NULL
    AND (
        o.state IN ('pending', 'held', 'in_flight', 'failed')
        OR (o.state = 'done' AND o.action = 'delete' AND o.sent_by = :cycle_id)
    )
    AND o.intent ->> 'id' = any(CAST(:salesforce_ids AS text []))
GROUP BY o.intent ->> 'id'
