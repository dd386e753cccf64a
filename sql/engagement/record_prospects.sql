-- Records prospects; they are to be said, and so are the people with the addresses that they have
-- now or had. Addresses that nobody had are to be sought.
WITH said AS (
    SELECT *
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS s (
        prospect_id text,
        as_of timestamptz,
        email text,
        is_active boolean,
        columns jsonb,
        tags jsonb,
        scores jsonb
    )
),

recorded AS (
    INSERT INTO crm.prospect (
        account_id, prospect_id, as_of, email, is_active, columns, tags, scores
    )
    SELECT
        :account_id, s.prospect_id, s.as_of, s.email, s.is_active, s.columns, s.tags, s.scores
    FROM said AS s
    ON CONFLICT (account_id, prospect_id) DO UPDATE
    SET
        as_of = excluded.as_of,
        email = excluded.email,
        is_active = excluded.is_active,
        columns = excluded.columns,
        tags = excluded.tags,
        scores = excluded.scores,
        is_gone = false,
        left_source = false,
        deleted_record = NULL,
        is_due = true
),

touched AS (
    UPDATE crm.engagement_person AS e
    SET is_due = true
    WHERE
        e.account_id = :account_id
        AND e.email IN (
            SELECT s.email
            FROM said AS s
            UNION
            SELECT unnest(CAST(:former_emails AS text []))
        )
)

INSERT INTO crm.engagement_address (account_id, email)
SELECT DISTINCT :account_id, s.email
FROM said AS s
WHERE s.is_active AND s.email IS NOT NULL
ON CONFLICT DO NOTHING
