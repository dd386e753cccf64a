-- When a registration was cancelled, as its activity says.
ALTER TABLE warehouse.registration ADD COLUMN cancelled_at timestamptz;
