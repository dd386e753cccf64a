-- Rows that are not in the source any more and of which a membership still tells.
SELECT m.source_row, m.natural_key, m.event_session_id, m.attended, m.of_session
FROM crm.operation AS o
CROSS JOIN LATERAL (
    SELECT
        known.source_row,
        known.natural_key,
        known.event_session_id,
        known.attended,
        known.of_session
    FROM crm.member_row AS known
    WHERE
        known.account_id = o.account_id
        AND known.source_row = left(o.natural_key, 1) || split_part(o.natural_key, ':', 2)
    OFFSET 0
) AS m
WHERE
    o.account_id = :account_id
    AND o.memory ? 'vanished'
    AND NOT EXISTS (
        SELECT FROM crm.operation AS newer
        WHERE
            newer.account_id = o.account_id
            AND newer.natural_key = o.natural_key
            AND newer.version > o.version
    )
