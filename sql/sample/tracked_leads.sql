-- The tracked leads of a client, in the order in which they were shipped.
SELECT lead_id, kind, is_spam, is_duplicate, email, phone
FROM warehouse.tracked_lead
WHERE client_id = :client_id
ORDER BY shipped_at, lead_id
