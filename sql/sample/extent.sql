SELECT
    (SELECT count(*) FROM warehouse.registration) AS registrations,
    (SELECT coalesce(max(registration_id), 0) FROM warehouse.registration) AS last_registration,
    (SELECT coalesce(max(person_id), 0) FROM warehouse.person) AS last_person,
    (SELECT coalesce(max(lead_id), 0) FROM warehouse.tracked_lead) AS last_lead
