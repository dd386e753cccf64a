-- A position is one flow's: several flows read the same source, each as far as it has come.
ALTER TABLE crm.source_position DROP CONSTRAINT source_position_pkey;

ALTER TABLE crm.source_position ADD COLUMN flow text;

UPDATE crm.source_position
SET
    flow = CASE WHEN source LIKE 'campaigns:%' THEN 'campaigns' ELSE 'webinars' END,
    source = regexp_replace(source, '^campaigns:', '');

ALTER TABLE crm.source_position ALTER COLUMN flow SET NOT NULL;

ALTER TABLE crm.source_position ADD PRIMARY KEY (account_id, flow, source);

COMMENT ON COLUMN crm.source_position.flow IS 'Whose reading it is.';
