-- Counts the rows read of an account's source up to :until, as sql/extract/row_counts.sql counts
-- them in the warehouse; of some :days gives the rows themselves. Rows that had vanished are read
-- when they come back.
WITH latest AS (
    SELECT DISTINCT ON (o.natural_key)
        o.natural_key,
        o.memory,
        greatest(o.as_of, to_timestamp(0)) AS as_of,
        CAST(greatest(o.as_of, to_timestamp(0)) AT TIME ZONE 'UTC' AS date) AS day
    FROM crm.operation AS o
    WHERE o.account_id = :account_id AND o.kind = 'activity' AND o.natural_key ~ :pattern
    ORDER BY o.natural_key, o.version DESC
)

SELECT
    l.day,
    count(*) AS rows,
    sum(
        CAST(extract(EPOCH FROM l.as_of) AS numeric)
        + CAST(split_part(l.natural_key, ':', 2) AS numeric)
    ) AS seconds,
    coalesce(sum((l.memory ->> 'shipped')::bigint), 0)::bigint AS parts,
    count(*) FILTER (WHERE l.memory ->> 'shipped' IS NULL) AS not_noted,
    array_agg(CAST(split_part(l.natural_key, ':', 2) AS bigint))
    FILTER (WHERE l.day = any(CAST(:days AS date []))) AS ids,
    array_agg(l.as_of) FILTER (WHERE l.day = any(CAST(:days AS date []))) AS times,
    array_agg((l.memory ->> 'shipped')::bigint)
    FILTER (WHERE l.day = any(CAST(:days AS date []))) AS parts_of
FROM latest AS l
WHERE l.as_of <= :until AND NOT coalesce(l.memory ? 'vanished', false)
GROUP BY l.day
ORDER BY l.day
