-- All pages of some prospects.
--
-- Parameters: client_id; prospect_ids.
-- The columns' names are the contract; with another schema, edit this statement and keep them.
-- kind: page visit, form submit or custom event.
SELECT
    g.page_id,
    g.prospect_id,
    g.kind,
    g.url,
    g.title,
    g.referrer,
    g.seconds,
    g.visited_at AS time
FROM warehouse.prospect_page AS g
WHERE
    g.client_id = :client_id
    AND g.prospect_id = any(CAST(:prospect_ids AS text []))
