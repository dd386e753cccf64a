-- Made of ../../engagement/pages.sql by `make extracts`: there it says what this is for, and
-- what it must give.
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
    AND g.prospect_id IN (SELECT f.value FROM OPENJSON(:prospect_ids) WITH (value NVARCHAR(4000) '$') AS f)
