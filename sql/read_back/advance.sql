-- Objects are read so far now.
INSERT INTO crm.org_position (
    account_id, sobject, covered, cursor_stamp, cursor_id, cursor_upto, read_since
)
SELECT
    :account_id, p.sobject, p.covered, p.cursor_stamp, p.cursor_id, p.cursor_upto, p.read_since
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS p (
    sobject text,
    covered timestamptz,
    cursor_stamp timestamptz,
    cursor_id text,
    cursor_upto timestamptz,
    read_since timestamptz
)
ON CONFLICT (account_id, sobject) DO UPDATE
SET
    covered = excluded.covered,
    cursor_stamp = excluded.cursor_stamp,
    cursor_id = excluded.cursor_id,
    cursor_upto = excluded.cursor_upto,
    read_since = excluded.read_since,
    read_at = now()
