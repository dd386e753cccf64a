-- Made of ../../platform/feedback_tickets.sql by `make extracts`: there it says what this is for, and
-- what it must give.
WITH changed AS (
    SELECT
        t.ticket_id
    FROM warehouse.feedback_ticket AS t
    WHERE
        t.client_id = :client_id AND t.shipped_at > CAST(:since AS TIMESTAMPTZ)
    UNION
    SELECT
        t.ticket_id
    FROM warehouse.person AS p
    INNER JOIN warehouse.feedback_ticket AS t
        ON p.person_id = t.submitter_id
    WHERE
        p.client_id = :client_id
        AND p.shipped_at > CAST(:since AS TIMESTAMPTZ)
        AND t.client_id = :client_id
)
SELECT
    t.ticket_id,
    t.project,
    t.feedback_type,
    t.team,
    t.status,
    t.title AS ticket_title,
    t.details,
    t.submitted_at,
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
    GREATEST_IGNORE_NULLS(t.shipped_at, p.shipped_at) AS changed_at
FROM changed AS c
INNER JOIN warehouse.feedback_ticket AS t
    ON c.ticket_id = t.ticket_id
LEFT JOIN warehouse.person AS p
    ON t.submitter_id = p.person_id AND t.client_id = p.client_id
WHERE
    t.client_id = :client_id
ORDER BY
    changed_at,
    t.ticket_id
