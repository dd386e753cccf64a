UPDATE warehouse.person AS p
SET
    job_title = changed.job_title,
    company_name = changed.company_name,
    phone_1 = changed.phone_1,
    shipped_at = :shipped_at
FROM unnest(
    CAST(:people AS bigint []),
    CAST(:job_titles AS text []),
    CAST(:company_names AS text []),
    CAST(:phones AS text [])
) AS changed (person_id, job_title, company_name, phone_1)
WHERE p.person_id = changed.person_id
