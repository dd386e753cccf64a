-- Each target of alerts is told for itself, so that one that fails holds up no other.

ALTER TABLE crm.alert ALTER COLUMN account_id DROP NOT NULL;
ALTER TABLE crm.alert ADD COLUMN began_at timestamptz;
UPDATE crm.alert SET began_at = raised_at;
ALTER TABLE crm.alert ALTER COLUMN began_at SET DEFAULT now();
ALTER TABLE crm.alert ALTER COLUMN began_at SET NOT NULL;
ALTER TABLE crm.alert ADD COLUMN version integer NOT NULL DEFAULT 1;

COMMENT ON COLUMN crm.alert.account_id IS 'NULL: it is about the installation.';
COMMENT ON COLUMN crm.alert.began_at IS 'Since when it is so; raised_at: since when its detail is.';
COMMENT ON COLUMN crm.alert.version IS 'How many details it has had: each is told.';

DROP INDEX crm.alert_open;
CREATE UNIQUE INDEX alert_open ON crm.alert (coalesce(account_id, ''), cause) WHERE closed_at IS NULL;

CREATE TABLE crm.alert_told (
    alert_id bigint NOT NULL REFERENCES crm.alert ON DELETE CASCADE,
    target text NOT NULL,
    version integer NOT NULL,
    told_at timestamptz NOT NULL DEFAULT now(),
    end_told_at timestamptz,
    PRIMARY KEY (alert_id, target)
);

COMMENT ON TABLE crm.alert_told IS 'What a target of alerts has taken; without a row it was told nothing.';
COMMENT ON COLUMN crm.alert_told.target IS 'Its name in ALERTS_FILE, that of its setting, or log.';
COMMENT ON COLUMN crm.alert_told.version IS 'The last version of the alert that it took.';
COMMENT ON COLUMN crm.alert_told.end_told_at IS 'When it had taken that the alert is over.';

-- Which of the channels had taken an alert was not kept; one of those that are set had.
INSERT INTO crm.alert_told (alert_id, target, version, told_at, end_told_at)
SELECT a.alert_id, t.target, a.version, a.sent_at, a.end_sent_at
FROM crm.alert AS a
CROSS JOIN (VALUES ('log'), ('ALERT_WEBHOOK_URL'), ('ALERT_EMAIL_TO')) AS t (target)
WHERE a.sent_at IS NOT NULL;

ALTER TABLE crm.alert DROP COLUMN sent_at;
ALTER TABLE crm.alert DROP COLUMN end_sent_at;

CREATE INDEX alert_told_unended ON crm.alert_told (target, alert_id) WHERE end_told_at IS NULL;

CREATE TABLE crm.alert_target (
    target text PRIMARY KEY,
    took_at timestamptz,
    failing_since timestamptz,
    problem text
);

COMMENT ON TABLE crm.alert_target IS 'How it went with each target of alerts when it was told last.';
COMMENT ON COLUMN crm.alert_target.problem IS 'Why it takes nothing, without its address; NULL: it does.';

CREATE TABLE crm.alert_pause (
    account_id text PRIMARY KEY REFERENCES crm.account ON DELETE CASCADE,
    paused_at timestamptz NOT NULL DEFAULT now(),
    paused_until timestamptz NOT NULL,
    paused_by text NOT NULL,
    why text
);

COMMENT ON TABLE crm.alert_pause
IS 'Accounts of whose alerts nobody is told that they begin, but the log, until a time.';
