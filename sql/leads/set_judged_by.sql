UPDATE crm.attribution_said
SET judged_by = :judged_by
WHERE account_id = :account_id AND judged_by IS DISTINCT FROM :judged_by
