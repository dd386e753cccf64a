-- The position of an object's sweep over held records, and whether it is time for another round.
SELECT after_id, begun_at <= now() - make_interval(secs => :seconds) AS may_begin
FROM crm.org_sweep
WHERE account_id = :account_id AND sobject = :sobject
