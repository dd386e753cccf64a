-- The attendances that have an activity in the org, and of how many people they are.
SELECT
    count(*) AS attendances,
    count(DISTINCT there.person_key) AS people
FROM (
    SELECT DISTINCT ON (o.natural_key) o.person_key, o.gone
    FROM crm.operation AS o
    WHERE
        o.account_id = :account_id
        AND o.kind = 'activity'
        AND o.natural_key ~ '^attendance:[0-9]{1,18}$'
        AND o.state IN ('done', 'in_flight')
    ORDER BY o.natural_key, o.version DESC
) AS there
WHERE NOT there.gone AND there.person_key IS NOT NULL
