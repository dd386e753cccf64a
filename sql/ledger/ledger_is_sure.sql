UPDATE crm.ledger_mark
SET
    unsure = false,
    known_until = NULL,
    looked_through = false,
    written_by = pg_current_xact_id()::text::bigint
WHERE account_id = :account_id AND unsure
