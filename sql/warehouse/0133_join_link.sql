-- The registrant's own link to the session.
ALTER TABLE warehouse.registration ADD COLUMN join_link text;
