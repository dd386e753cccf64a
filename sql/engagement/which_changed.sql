-- Those of some prospects that are new or say something else than what is known, and is not newer;
-- with the address that they had.
SELECT s.prospect_id, p.email
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS s (
    prospect_id text,
    as_of timestamptz,
    email text,
    is_active boolean,
    columns jsonb,
    tags jsonb,
    scores jsonb
)
LEFT JOIN crm.prospect AS p ON p.account_id = :account_id AND s.prospect_id = p.prospect_id
WHERE
    p.prospect_id IS NULL
    OR (
        p.as_of <= s.as_of
        AND (
            (p.columns, p.tags, p.scores) IS DISTINCT FROM (s.columns, s.tags, s.scores)
            -- What was gone is made again when the source ships it again.
            OR (p.is_gone AND p.as_of < s.as_of)
        )
    )
