-- Made of ../../platform/users.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    p.person_id,
    p.email,
    p.first_name,
    p.surname,
    p.title,
    p.job_title,
    p.company_name,
    p.address_1,
    p.address_2,
    p.address_3,
    p.city,
    p.county,
    p.postal_code,
    p.country_code,
    p.phone_1,
    p.shipped_at AS changed_at
FROM warehouse.person AS p
WHERE
    p.client_id = :client_id AND p.shipped_at > CAST(:since AS TIMESTAMP)
ORDER BY
    p.shipped_at,
    p.person_id
