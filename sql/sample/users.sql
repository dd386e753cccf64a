-- The addresses of a client's users, and how many tickets each has submitted.
SELECT
    p.email,
    count(t.ticket_id) AS tickets
FROM warehouse.person AS p
LEFT JOIN warehouse.feedback_ticket AS t
    ON p.person_id = t.submitter_id AND p.client_id = t.client_id
WHERE p.client_id = :client_id
GROUP BY p.person_id
