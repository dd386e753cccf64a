-- These operations are confirmed, with the values that their records show; or nothing is awaited of
-- them any more.
UPDATE crm.record AS r
SET awaits_version = NULL, last = r.last || s.shown
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS s (operation_id bigint, shown jsonb)
INNER JOIN crm.operation AS o ON s.operation_id = o.operation_id
WHERE
    r.account_id = o.account_id
    AND r.natural_key = o.natural_key
    AND r.awaits_version = o.version
