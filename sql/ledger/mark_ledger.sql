-- Marks these tables as this server's, and says whether they were it before. Commit this with
-- nothing nested around it, or the row bears another transaction.
-- An account that has delivered has a mark, unless its tables are from before there were marks.
WITH clock AS (
    SELECT extract(EPOCH FROM now() - timestamptz '2020-01-01 00:00:00+00')::integer AS seconds
)

INSERT INTO crm.ledger_mark AS m (
    account_id, server_started_at, database_id, written_by, unsure, versions_from, known_until
)
SELECT
    :account_id,
    pg_postmaster_start_time(),
    d.oid,
    pg_current_xact_id()::text::bigint,
    k.has_delivered,
    CASE WHEN k.has_delivered THEN c.seconds ELSE 0 END,
    u.known_until
FROM pg_database AS d
CROSS JOIN clock AS c
CROSS JOIN (
    SELECT EXISTS (SELECT FROM crm.identity AS i WHERE i.account_id = :account_id) AS has_delivered
) AS k
CROSS JOIN (
    SELECT
        -- Where nothing was sent yet, from well before there was anybody to send it.
        coalesce(
            (
                SELECT max(s.org_ended_at) FROM crm.sending AS s
                WHERE s.account_id = :account_id
            ),
            (
                SELECT coalesce(a.activated_at, a.created_at) - interval '1 day'
                FROM crm.account AS a
                WHERE a.account_id = :account_id
            )
        ) AS known_until
) AS u
WHERE d.datname = current_database()
ON CONFLICT (account_id) DO UPDATE
SET
    server_started_at = excluded.server_started_at,
    database_id = excluded.database_id,
    written_by = excluded.written_by,
    (unsure, versions_from, known_until, looked_through, adopts) = (
        SELECT
            m.unsure OR s.may_be_copy,
            -- Above those before also where the clock was set back meanwhile.
            CASE
                WHEN s.may_be_copy THEN greatest(c.seconds, m.versions_from + 1000)
                ELSE m.versions_from
            END,
            -- A copy of what was unsure itself knows no more than that did.
            CASE
                WHEN s.may_be_copy AND NOT m.unsure THEN excluded.known_until
                ELSE m.known_until
            END,
            m.looked_through AND NOT s.may_be_copy,
            m.adopts AND NOT s.may_be_copy
        FROM clock AS c
        CROSS JOIN (
            SELECT
                m.server_started_at <> excluded.server_started_at
                OR m.database_id <> excluded.database_id
                OR m.written_by % 4294967296 <> m.xmin::text::bigint AS may_be_copy
        ) AS s
    )
RETURNING unsure
