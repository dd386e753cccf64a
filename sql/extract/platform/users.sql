-- The platform's users of a client that were shipped after :since, oldest shipping first: whom
-- requests from Salesforce may be about, and, where the account has them in its org, people there.
--
-- Parameters: client_id; since. The columns' names are the contract: person_id: the user, as the
-- platform knows it and as registrations.sql has it, email, changed_at: when it was shipped.
-- Further columns may be added: the filters of listeners, and the field mapping, can name them.
-- `street` is made of address_1 to address_3.
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
WHERE p.client_id = :client_id AND p.shipped_at > :since
ORDER BY p.shipped_at, p.person_id
