SELECT
    person_id,
    client_id
FROM warehouse.person
WHERE person_id = any(:people)
