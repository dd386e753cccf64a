-- A tag of each client has another name now.
UPDATE warehouse.tag_definition
SET name = name || '!', shipped_at = :shipped_at
WHERE tag_id = 't1' AND length(name) < 40
