-- Some days in numbers, by account: those first in which something went wrong, then those with most. NULL is
-- what was not counted on one of them. What waits is what did on the last one that had a cycle.
SELECT
    a.account_id,
    a.name AS account,
    coalesce(c.cycles, 0) AS cycles,
    coalesce(c.failed, 0) AS failed_cycles,
    coalesce(c.paused, 0) AS paused_cycles,
    coalesce(c.held, 0) AS held_cycles,
    coalesce(r.activities_read, 0) AS activities_read,
    coalesce(r.activities_wanted, 0) AS activities_wanted,
    CASE WHEN r.account_id IS NULL THEN 0 ELSE r.activities_known END AS activities_known,
    coalesce(r.activities_rejected, 0) AS activities_rejected,
    coalesce(d.leads_created, 0) AS leads_created,
    coalesce(d.people_updated, 0) AS people_updated,
    coalesce(d.activities_created, 0) AS activities_created,
    coalesce(d.members_created, 0) AS members_created,
    coalesce(d.written, 0) AS written,
    CASE WHEN d.account_id IS NULL THEN 0 ELSE d.late END AS written_late,
    coalesce(f.refused_tries, 0) AS refused_tries,
    coalesce(i.incidents_opened, 0) AS incidents_opened,
    coalesce(q.requests_received, 0) AS requests_received,
    coalesce(c.api_calls, 0) AS api_calls,
    CASE WHEN c.account_id IS NULL THEN 0 ELSE c.waiting END AS waiting,
    CASE WHEN c.account_id IS NULL THEN 0 ELSE c.exhausted END AS exhausted
FROM reporting.accounts AS a
LEFT JOIN (
    SELECT
        account_id,
        sum(cycles)::bigint AS cycles,
        sum(failed)::bigint AS failed,
        sum(paused)::bigint AS paused,
        sum(held)::bigint AS held,
        sum(api_calls)::bigint AS api_calls,
        (array_agg(waiting ORDER BY day DESC))[1] AS waiting,
        (array_agg(exhausted ORDER BY day DESC))[1] AS exhausted
    FROM reporting.cycles
    WHERE day BETWEEN :first AND :last
    GROUP BY account_id
) AS c ON a.account_id = c.account_id
LEFT JOIN (
    SELECT
        account_id,
        sum("read") AS activities_read,
        sum(new + changed) AS activities_wanted,
        CASE WHEN bool_and(known IS NOT NULL) THEN sum(known) END AS activities_known,
        sum(rejected) AS activities_rejected
    FROM reporting.readings
    WHERE day BETWEEN :first AND :last AND kind = 'activity'
    GROUP BY account_id
) AS r ON a.account_id = r.account_id
LEFT JOIN (
    SELECT
        account_id,
        sum(number) FILTER (WHERE object = 'Lead' AND action = 'create') AS leads_created,
        sum(number) FILTER (WHERE kind = 'person' AND action = 'update') AS people_updated,
        sum(number) FILTER (WHERE kind = 'activity' AND action = 'create') AS activities_created,
        sum(number) FILTER (WHERE kind = 'member' AND action = 'create') AS members_created,
        sum(number) AS written,
        CASE WHEN bool_and(late IS NOT NULL) THEN sum(late) END AS late
    FROM reporting.deliveries
    WHERE day BETWEEN :first AND :last AND kind <> 'message' AND action <> 'none'
    GROUP BY account_id
) AS d ON a.account_id = d.account_id
LEFT JOIN (
    SELECT
        account_id,
        sum(number) AS refused_tries
    FROM reporting.failures
    WHERE day BETWEEN :first AND :last
    GROUP BY account_id
) AS f ON a.account_id = f.account_id
LEFT JOIN (
    SELECT
        account_id,
        sum(opened) AS incidents_opened
    FROM reporting.incidents
    WHERE day BETWEEN :first AND :last
    GROUP BY account_id
) AS i ON a.account_id = i.account_id
LEFT JOIN (
    SELECT
        account_id,
        sum(received) AS requests_received
    FROM reporting.requests
    WHERE day BETWEEN :first AND :last
    GROUP BY account_id
) AS q ON a.account_id = q.account_id
WHERE num_nonnulls(c.account_id, r.account_id, d.account_id, f.account_id, i.account_id, q.account_id) > 0
ORDER BY
    coalesce(c.failed, 0) + coalesce(c.held, 0) + coalesce(d.late, 0) + coalesce(f.refused_tries, 0) = 0,
    written DESC,
    a.account_id
