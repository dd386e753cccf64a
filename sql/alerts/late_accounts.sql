SELECT account_id
FROM crm.alert
WHERE cause = 'late' AND closed_at IS NULL
ORDER BY account_id
