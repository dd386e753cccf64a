-- Takes each attendance that has an activity in the org for one of its own, also those that were
-- delivered before visits were known: read again, those that are part of another are undone.
INSERT INTO crm.visit (account_id, attendance_id, person_key)
SELECT :account_id, CAST(split_part(there.natural_key, ':', 2) AS bigint), there.person_key
FROM (
    SELECT DISTINCT ON (o.natural_key) o.natural_key, o.person_key, o.gone
    FROM crm.operation AS o
    WHERE
        o.account_id = :account_id
        AND o.kind = 'activity'
        AND o.natural_key ~ '^attendance:[0-9]{1,18}$'
        AND o.state IN ('done', 'in_flight')
    ORDER BY o.natural_key, o.version DESC
) AS there
WHERE NOT there.gone AND there.person_key IS NOT NULL
ON CONFLICT (account_id, attendance_id) DO UPDATE SET part_of = NULL
