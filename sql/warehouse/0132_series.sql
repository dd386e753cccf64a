-- A recurring webinar: events of one series. A budget, for campaigns.
ALTER TABLE warehouse.event
ADD COLUMN series text,
ADD COLUMN budget numeric;
