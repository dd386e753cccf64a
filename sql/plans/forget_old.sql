-- Plans are kept for as long as cycles are.
DELETE FROM crm.plan
WHERE account_id = :account_id AND made_at < now() - make_interval(days => :days)
