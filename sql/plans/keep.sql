INSERT INTO crm.plan (account_id, start_at, of_some_people, org_time)
VALUES (:account_id, :start_at, :of_some_people, :org_time)
RETURNING plan_id
