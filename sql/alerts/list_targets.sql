SELECT target, took_at, failing_since, problem
FROM crm.alert_target
