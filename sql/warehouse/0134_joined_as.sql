-- The address with which somebody joined, where it was another than the one they registered with.
ALTER TABLE warehouse.attendance ADD COLUMN joined_as text;
