-- A time that programs can read, for Accounts of which nothing was read yet.
UPDATE crm.engagement_aggregate
SET stamp = 'epoch'
WHERE stamp = '-infinity';

ALTER TABLE crm.engagement_aggregate ALTER COLUMN stamp SET DEFAULT 'epoch';
