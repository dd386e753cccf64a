-- Those of some targets that took nothing when they were told last.
SELECT target, problem
FROM crm.alert_target
WHERE problem IS NOT NULL AND target = any(CAST(:targets AS text []))
ORDER BY target
