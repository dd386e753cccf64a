UPDATE warehouse.registration
SET
    status = 'cancelled',
    shipped_at = :shipped_at
WHERE registration_id = any(:registrations)
