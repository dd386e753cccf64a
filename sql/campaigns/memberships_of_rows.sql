-- The membership that each of these rows of the source told of last, and what of.
SELECT m.source_row, m.natural_key, m.event_session_id, m.attended, m.of_session
FROM unnest(CAST(:source_rows AS text [])) AS r (source_row)
CROSS JOIN LATERAL (
    SELECT
        known.source_row,
        known.natural_key,
        known.event_session_id,
        known.attended,
        known.of_session
    FROM crm.member_row AS known
    WHERE known.account_id = :account_id AND known.source_row = r.source_row
    OFFSET 0
) AS m
