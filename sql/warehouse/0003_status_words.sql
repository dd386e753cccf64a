-- Registrations wait, are asked for and are refused: a platform has more words than two.
ALTER TABLE warehouse.registration DROP CONSTRAINT registration_status_check;
