-- The prospects of a client of which a page was shipped after :since, oldest first. Read only where
-- the account keeps pages.
--
-- Parameters: client_id; since; prospect_ids, NULL for all.
SELECT g.prospect_id, max(g.shipped_at) AS changed_at
FROM warehouse.prospect_page AS g
WHERE
    g.client_id = :client_id
    AND g.shipped_at > :since
    AND (
        CAST(:prospect_ids AS text []) IS NULL
        OR g.prospect_id = any(CAST(:prospect_ids AS text []))
    )
GROUP BY g.prospect_id
ORDER BY changed_at, g.prospect_id
