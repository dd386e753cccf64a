-- Calls that come again, richer: with a recording and how long they took.
UPDATE warehouse.tracked_lead
SET
    recording_url = 'https://calls.example/' || lead_id,
    duration_seconds = coalesce(duration_seconds, 60),
    shipped_at = :shipped_at
WHERE lead_id = any(CAST(:leads AS bigint [])) AND kind = 'call'
