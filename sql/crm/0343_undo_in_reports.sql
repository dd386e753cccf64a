-- Records of cycles that were taken back are operations of their own kind, and are counted as such.
COMMENT ON COLUMN reporting.deliveries.kind
IS 'person, activity, campaign, member, record or message; undo: a record of a cycle that was taken back.';
COMMENT ON COLUMN reporting.queue.kind
IS 'person, activity, campaign, member, record or message; undo: a record of a cycle to be taken back.';

-- A day on which the counting of what was known began has no number of it, as its comment says, and not a
-- part of one.
CREATE OR REPLACE VIEW reporting.readings AS
SELECT
    r.day,
    r.account_id,
    r.flow,
    r.kind,
    sum(r.new + r.changed + coalesce(r.known, 0))::bigint AS "read",
    coalesce(sum(r.new) FILTER (WHERE r.rejected_because = ''), 0)::bigint AS new,
    coalesce(sum(r.changed) FILTER (WHERE r.rejected_because = ''), 0)::bigint AS changed,
    coalesce(sum(r.new + r.changed) FILTER (WHERE r.rejected_because <> ''), 0)::bigint AS rejected,
    CASE WHEN bool_and(r.known IS NOT NULL) THEN sum(r.known)::bigint END AS known,
    r.day < daily.of(now()) AS day_is_over
FROM daily.reading AS r
GROUP BY r.day, r.account_id, r.flow, r.kind;
