-- Alerts that people are to be told of: open ones that they were not told of, and those that they
-- were told of and that are over.
SELECT alert_id, account_id, cause, message, raised_at, closed_at
FROM crm.alert
WHERE
    (closed_at IS NULL AND sent_at IS NULL)
    OR (closed_at IS NOT NULL AND sent_at IS NOT NULL AND end_sent_at IS NULL)
ORDER BY alert_id
