SELECT
    o.operation_id,
    concat_ws(' ', o.natural_key, CAST(o.intent AS text), CAST(o.sent AS text)) AS said
FROM crm.operation AS o
WHERE
    o.account_id = :account_id
    AND o.state IN ('pending', 'held', 'in_flight', 'failed', 'exhausted', 'left_out')
    AND (o.person_key IS NULL OR NOT :of_nobody)
    AND o.operation_id > :after
ORDER BY o.operation_id
LIMIT :limit
