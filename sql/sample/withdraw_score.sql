-- A score of each client is withdrawn; what prospects have of it stays in their rows.
DELETE FROM warehouse.score_definition
WHERE score_id = 's3'
