-- Leads of a tracker that vanish from the warehouse are found by the daily count.

ALTER TABLE crm.lead_count
ADD COLUMN vanished bigint NOT NULL DEFAULT 0,
ADD COLUMN believed bigint NOT NULL DEFAULT 0;

COMMENT ON COLUMN crm.lead_count.vanished
IS 'Leads that were read and were not in the warehouse any more.';
COMMENT ON COLUMN crm.lead_count.believed
IS 'Up to so many vanished leads are meant, as a person has said since.';
