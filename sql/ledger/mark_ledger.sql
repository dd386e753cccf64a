-- Marks these tables as this server's, and says whether they were it before. Commit this with
-- nothing nested around it, or the row bears another transaction.
-- An account that has delivered has a mark, unless its tables are from before there were marks.
INSERT INTO crm.ledger_mark AS m (account_id, server_started_at, database_id, written_by, unsure)
SELECT
    :account_id,
    pg_postmaster_start_time(),
    d.oid,
    pg_current_xact_id()::text::bigint,
    EXISTS (SELECT FROM crm.identity AS i WHERE i.account_id = :account_id)
FROM pg_database AS d
WHERE d.datname = current_database()
ON CONFLICT (account_id) DO UPDATE
SET
    server_started_at = excluded.server_started_at,
    database_id = excluded.database_id,
    written_by = excluded.written_by,
    unsure = m.unsure
    OR m.server_started_at <> excluded.server_started_at
    OR m.database_id <> excluded.database_id
    OR m.written_by % 4294967296 <> m.xmin::text::bigint
RETURNING unsure
