-- The membership that each of these rows of the source told of last.
SELECT m.source_row, m.natural_key
FROM unnest(CAST(:source_rows AS text [])) AS r (source_row)
CROSS JOIN LATERAL (
    SELECT known.source_row, known.natural_key
    FROM crm.member_row AS known
    WHERE known.account_id = :account_id AND known.source_row = r.source_row
    OFFSET 0
) AS m
