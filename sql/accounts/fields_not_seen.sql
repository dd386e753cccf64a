-- The fields that an account maps and that its org did not show when it was last looked at: they
-- are not in the org, or hidden from its user.
SELECT m.sobject, m.field
FROM crm.field_mapping AS m
INNER JOIN crm.sobject_schema AS s ON m.account_id = s.account_id AND m.sobject = s.sobject
WHERE
    m.account_id = :account_id
    AND (m.source IS NOT NULL OR m.constant IS NOT NULL)
    AND NOT EXISTS (
        SELECT FROM jsonb_array_elements(s.schema -> 'fields') AS f (field)
        WHERE lower(f.field ->> 'name') = lower(m.field)
    )
ORDER BY m.sobject, m.field
