-- A field may get what a template makes of columns. `template` says shortly what it is, as the history of
-- an account shows it; `rules` is all of it, with its table.
ALTER TABLE crm.field_mapping
ADD COLUMN template text,
ADD COLUMN rules jsonb,
ADD CHECK (num_nonnulls(source, constant, rules) <= 1),
ADD CHECK ((template IS NULL) = (rules IS NULL));

COMMENT ON TABLE crm.field_mapping
IS 'Overrides of the default mapping: a field gets a warehouse column, what a template makes of columns, '
'a constant, or nothing.';

DROP TRIGGER choice_changed ON crm.field_mapping;

CREATE TRIGGER choice_changed AFTER INSERT OR UPDATE OR DELETE ON crm.field_mapping
FOR EACH ROW EXECUTE FUNCTION crm.choice_changed('mapping', 'sobject,field', 'source,constant,template');
