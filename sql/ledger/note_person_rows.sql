-- Rows that count in figures of people; of those that were read, others count no more.
WITH gone AS (
    DELETE FROM crm.person_row AS p
    USING jsonb_to_recordset(CAST(:read AS jsonb)) AS r (is_attendance boolean, row_id bigint)
    WHERE
        p.account_id = :account_id
        AND p.is_attendance = r.is_attendance
        AND p.row_id = r.row_id
        AND NOT EXISTS (
            SELECT
            FROM jsonb_to_recordset(CAST(:counting AS jsonb)) AS c (
                is_attendance boolean, row_id bigint
            )
            WHERE c.is_attendance = r.is_attendance AND c.row_id = r.row_id
        )
)

INSERT INTO crm.person_row (
    account_id, is_attendance, row_id, person_key, event_session_id, at, minutes
)
SELECT
    :account_id,
    c.is_attendance,
    c.row_id,
    c.person_key,
    c.event_session_id,
    c.at,
    c.minutes
FROM jsonb_to_recordset(CAST(:counting AS jsonb)) AS c (
    is_attendance boolean,
    row_id bigint,
    person_key bigint,
    event_session_id bigint,
    at timestamptz,
    minutes double precision
)
ON CONFLICT (account_id, is_attendance, row_id) DO UPDATE
SET
    person_key = excluded.person_key,
    event_session_id = excluded.event_session_id,
    at = excluded.at,
    minutes = excluded.minutes
