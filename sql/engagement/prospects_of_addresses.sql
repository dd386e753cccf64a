-- The active prospects with these addresses, the one that changed last at the end.
SELECT p.prospect_id, p.as_of, p.email, p.is_active, p.columns, p.tags, p.scores
FROM crm.prospect AS p
WHERE
    p.account_id = :account_id
    AND p.email = any(CAST(:emails AS text []))
    AND p.is_active
    AND NOT p.is_gone
ORDER BY p.as_of, p.prospect_id
