-- Rejected rows by the filter that hit them.
ALTER TABLE daily.reading ADD COLUMN filter text NOT NULL DEFAULT '';
ALTER TABLE daily.reading DROP CONSTRAINT reading_pkey;
ALTER TABLE daily.reading ADD PRIMARY KEY (account_id, day, flow, kind, rejected_because, filter);

CREATE OR REPLACE VIEW reporting.rejections AS
SELECT
    r.day,
    r.account_id,
    r.flow,
    r.kind,
    r.rejected_because AS reason,
    r.new + r.changed AS number,
    r.day < daily.of(now()) AS day_is_over,
    r.filter
FROM daily.reading AS r
WHERE r.rejected_because <> '' AND r.new + r.changed > 0;

COMMENT ON VIEW reporting.rejections
IS 'What was read and is not to be sent, once each: one row per day, account, flow, kind, reason and '
   'filter.';
COMMENT ON COLUMN reporting.rejections.filter
IS 'Of reason filtered, the filter that hit, if it is of the domain; others may name somebody, and are '
   '"part of an address". Empty: no filter did, or it was not kept yet.';
