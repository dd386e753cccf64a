INSERT INTO crm.listener_minute AS m (key_id, minute, taken)
VALUES (:key_id, to_timestamp(:minute), :wanted)
ON CONFLICT (key_id, minute) DO UPDATE SET taken = m.taken + excluded.taken
RETURNING taken
