INSERT INTO crm.plan (account_id, start_at, of_some_people)
VALUES (:account_id, :start_at, :of_some_people)
RETURNING plan_id
