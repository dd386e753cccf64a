INSERT INTO crm.tick AS t (name, ticks, failures)
VALUES (:name, 1, CAST(:failed AS boolean)::integer)
ON CONFLICT (name) DO UPDATE
SET ticks = t.ticks + 1, failures = t.failures + excluded.failures, ticked_at = now()
