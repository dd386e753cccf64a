-- How far an object's held records were looked for, and whether it is time for another round.
SELECT after_id, begun_at <= now() - make_interval(secs => :seconds) AS may_begin
FROM crm.org_sweep
WHERE account_id = :account_id AND sobject = :sobject
