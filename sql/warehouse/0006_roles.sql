-- Speakers and staff register and come, too.
ALTER TABLE warehouse.registration ADD COLUMN role text;
ALTER TABLE warehouse.attendance ADD COLUMN role text;

COMMENT ON COLUMN warehouse.registration.role
IS 'attendee, speaker, host, panelist, staff, sponsor or test; NULL: attendee.';
