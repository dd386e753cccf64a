-- The clients that the warehouse has rows of: how many registrations and attendances, and when the
-- newest row was shipped. A client with events only is one, too.
--
-- Parameter: client_ids (NULL: all). The columns' names are the contract, as in registrations.sql.
SELECT
    shipped.client_id,
    CAST(sum(shipped.registrations) AS bigint) AS registrations,
    CAST(sum(shipped.attendances) AS bigint) AS attendances,
    CAST(max(shipped.newest) AS timestamptz) AS newest
FROM (
    SELECT e.client_id, 0 AS registrations, 0 AS attendances, max(e.shipped_at) AS newest
    FROM warehouse.event AS e
    WHERE
        CAST(:client_ids AS text []) IS NULL OR e.client_id = any(CAST(:client_ids AS text []))
    GROUP BY e.client_id
    UNION ALL
    SELECT r.client_id, count(*), 0, max(r.shipped_at)
    FROM warehouse.registration AS r
    WHERE
        CAST(:client_ids AS text []) IS NULL OR r.client_id = any(CAST(:client_ids AS text []))
    GROUP BY r.client_id
    UNION ALL
    SELECT a.client_id, 0, count(*), max(a.shipped_at)
    FROM warehouse.attendance AS a
    WHERE
        CAST(:client_ids AS text []) IS NULL OR a.client_id = any(CAST(:client_ids AS text []))
    GROUP BY a.client_id
) AS shipped
GROUP BY shipped.client_id
ORDER BY shipped.client_id
