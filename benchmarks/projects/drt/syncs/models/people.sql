SELECT
    p.first_name AS "FirstName",
    p.surname AS "LastName",
    p.title AS "Salutation",
    p.job_title AS "Title",
    p.company_name AS "Company",
    p.city AS "City",
    p.county AS "State",
    p.postal_code AS "PostalCode",
    p.country_code AS "Country",
    p.phone_1 AS "Phone",
    p.email AS "Email",
    'Webinar' AS "LeadSource",
    concat_ws(chr(10), p.address_1, p.address_2, p.address_3) AS "Street"
FROM warehouse.registration AS r
INNER JOIN warehouse.person AS p ON r.person_id = p.person_id
