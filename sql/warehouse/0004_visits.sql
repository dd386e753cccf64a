-- A view of the recording is no attendance of the session itself.
ALTER TABLE warehouse.attendance ADD COLUMN kind text;

COMMENT ON COLUMN warehouse.attendance.kind IS 'live, simulive or on_demand; NULL: live.';
