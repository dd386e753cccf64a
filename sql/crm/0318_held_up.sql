-- How many operations incidents held up, by day.
ALTER TABLE daily.incident ADD COLUMN held_up bigint;

-- Of accounts that were removed nothing is known any more.
UPDATE daily.incident AS n
SET held_up = coalesce(k.operations, 0)
FROM daily.incident AS d
INNER JOIN crm.account AS a ON d.account_id = a.account_id
LEFT JOIN (
    SELECT i.account_id, daily.of(i.first_seen) AS day, i.code, i.subject, sum(i.operations) AS operations
    FROM crm.incident AS i
    GROUP BY 1, 2, 3, 4
) AS k ON d.account_id = k.account_id AND d.day = k.day AND d.error_code = k.code AND d.object = k.subject
WHERE
    n.account_id = d.account_id AND n.day = d.day AND n.error_code = d.error_code AND n.object = d.object;

CREATE OR REPLACE FUNCTION daily.count_incident() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_new boolean := TG_OP = 'INSERT';
    ends boolean := NOT is_new AND old.closed_at IS NULL AND new.closed_at IS NOT NULL;
BEGIN
    INSERT INTO daily.incident AS n (account_id, day, error_code, object, opened, closed, held_up)
    VALUES (
        new.account_id,
        daily.of(CASE WHEN is_new THEN new.first_seen WHEN ends THEN new.closed_at ELSE now() END),
        new.code,
        new.subject,
        is_new::int,
        ends::int,
        new.operations - CASE WHEN is_new THEN 0 ELSE old.operations END
    )
    ON CONFLICT (account_id, day, error_code, object) DO UPDATE
    SET
        opened = n.opened + excluded.opened,
        closed = n.closed + excluded.closed,
        held_up = coalesce(n.held_up, 0) + excluded.held_up;
    RETURN NULL;
END $$;

DROP TRIGGER closed ON crm.incident;

CREATE TRIGGER grown_or_closed AFTER UPDATE OF closed_at, operations ON crm.incident
FOR EACH ROW
WHEN (new.operations <> old.operations OR (old.closed_at IS NULL AND new.closed_at IS NOT NULL))
EXECUTE FUNCTION daily.count_incident();

COMMENT ON COLUMN crm.incident.operations IS 'The most that it held up at once.';

CREATE OR REPLACE VIEW reporting.incidents AS
SELECT
    i.day,
    i.account_id,
    i.error_code,
    i.object,
    i.opened,
    i.closed,
    i.day < daily.of(now()) AS day_is_over,
    i.held_up
FROM daily.incident AS i;

COMMENT ON COLUMN reporting.incidents.held_up
IS 'Operations that they held up: by so many the most that each held up at once grew that day, so '
   'days may be added up; NULL: not known.';
COMMENT ON VIEW reporting.failures
IS 'Tries that the org refused: one row per day, account, flow, object and code. What an incident '
   'holds up loses no try: held_up of the view incidents has it.';
