-- Every twentieth person has handed in a ticket, which was shipped by now.
INSERT INTO warehouse.feedback_ticket (
    ticket_id, client_id, project, feedback_type, team, status, submitter_id, title, details,
    submitted_at, shipped_at
)
SELECT
    'F-' || p.person_id,
    p.client_id,
    'Webinars',
    said.feedback_type,
    'Participants',
    said.status,
    p.person_id,
    said.title,
    said.details,
    p.shipped_at,
    p.shipped_at
FROM warehouse.person AS p
INNER JOIN (
    VALUES
    (0, 'Bug', 'New', 'The sound drops', 'After half an hour, on a phone.'),
    (1, 'Idea', 'New', 'Slides to take home', 'A link in the chat would do.'),
    (2, 'Bug', 'Closed', 'No reminder came', NULL),
    (3, 'Praise', 'Closed', 'A good hour', 'More of these, please.')
) AS said (number, feedback_type, status, title, details)
    ON p.person_id / 20 % 4 = said.number
WHERE p.person_id % 20 = 1
