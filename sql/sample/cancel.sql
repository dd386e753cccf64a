UPDATE warehouse.registration
SET
    status = 'cancelled',
    cancelled_at = :shipped_at,
    shipped_at = :shipped_at
WHERE registration_id = any(:registrations)
