INSERT INTO crm.source_count (
    account_id, source, rows, again, still_unread, incomplete, vanished, explained
)
VALUES (
    :account_id,
    :source,
    :rows,
    CAST(:again AS bigint []),
    :still_unread,
    :incomplete,
    :vanished,
    CAST(:explained AS jsonb)
)
ON CONFLICT (account_id, source) DO UPDATE
SET
    counted_at = now(),
    rows = excluded.rows,
    again = excluded.again,
    members_read_at = NULL,
    still_unread = excluded.still_unread,
    incomplete = excluded.incomplete,
    vanished = excluded.vanished,
    explained = excluded.explained,
    believed = 0
