-- An alert of an account that is removed ends like any other: whoever was told of it is told so, and a
-- pager's incident is closed. It goes as closed alerts do, after HISTORY_DAYS.

ALTER TABLE crm.alert DROP CONSTRAINT alert_account_id_fkey;

CREATE INDEX alert_closed ON crm.alert (closed_at) WHERE closed_at IS NOT NULL;
