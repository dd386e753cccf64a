INSERT INTO crm.candidate (account_id, operation_id, chosen, others, looked_at)
SELECT :account_id, n.operation_id, n.chosen, n.others, clock_timestamp()
FROM
    jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (
        operation_id bigint,
        chosen text,
        others text []
    )
ON CONFLICT (operation_id) DO UPDATE
SET chosen = excluded.chosen, others = excluded.others, looked_at = excluded.looked_at
