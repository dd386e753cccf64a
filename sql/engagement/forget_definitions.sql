-- Forgets definitions that are not among these any more (arrays of equal length); returns them.
DELETE FROM crm.engagement_definition AS d
WHERE
    d.account_id = :account_id
    AND NOT EXISTS (
        SELECT
        FROM unnest(CAST(:kinds AS text []), CAST(:definition_ids AS text []))
            AS s (kind, definition_id)
        WHERE s.kind = d.kind AND s.definition_id = d.definition_id
    )
RETURNING d.kind, d.definition_id, d.as_of, d.columns
