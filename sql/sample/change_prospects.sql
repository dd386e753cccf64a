-- Some prospects came again, and are warmer; those that may be of nobody are left.
UPDATE warehouse.prospect
SET
    visits = visits + 1,
    temperature = least(100, coalesce(temperature, 0) + 10),
    last_visit = :shipped_at,
    shipped_at = :shipped_at
WHERE abs(hashtext(prospect_id || CAST(:salt AS text))) % 50 = 0
