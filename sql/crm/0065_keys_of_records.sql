-- Two natural keys of one external key would write one record in turn: looked for before a record is
-- made. Nothing that is there changes.

CREATE INDEX operation_by_record_key
ON crm.operation (account_id, (intent ->> 'sobject'), lower(intent -> 'key' ->> 1))
WHERE kind = 'record';
