UPDATE warehouse.person
SET
    email = 'moved.' || person_id || '@post.example',
    shipped_at = :shipped_at
WHERE person_id = any(:people) AND email LIKE '%@%.%'
