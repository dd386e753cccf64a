-- Records what defines tags and scores; returns those that are new or say something else.
INSERT INTO crm.engagement_definition AS d (account_id, kind, definition_id, as_of, columns)
SELECT :account_id, s.kind, s.definition_id, s.as_of, s.columns
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS s (
    kind text, definition_id text, as_of timestamptz, columns jsonb
)
ON CONFLICT (account_id, kind, definition_id) DO UPDATE
SET as_of = excluded.as_of, columns = excluded.columns
WHERE d.columns <> excluded.columns
RETURNING d.kind, d.definition_id, d.as_of, d.columns
