-- Plans that were made before the last :days days, with their rows.
DELETE FROM crm.plan
WHERE made_at < now() - make_interval(days => :days)
