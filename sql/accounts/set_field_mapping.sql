INSERT INTO crm.field_mapping (account_id, sobject, field, source, constant, template, rules)
VALUES (:account_id, :sobject, :field, :source, :constant, :template, CAST(:rules AS jsonb))
ON CONFLICT (account_id, sobject, field) DO UPDATE
SET
    source = excluded.source,
    constant = excluded.constant,
    template = excluded.template,
    rules = excluded.rules
