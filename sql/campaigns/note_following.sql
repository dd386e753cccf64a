-- Notes what is about to be sent of campaigns that follow their events: without an answer they may
-- be so.
UPDATE crm.operation AS o
SET sent = f.sent
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS f (operation_id bigint, sent jsonb)
WHERE o.operation_id = f.operation_id
