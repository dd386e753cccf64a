-- Made of ../../platform/end_of_users.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    SYSDATETIMEOFFSET() AS now,
    (
        SELECT
            MAX(p.shipped_at)
        FROM warehouse.person AS p
        WHERE
            p.client_id = :client_id
    ) AS newest
