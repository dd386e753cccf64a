-- A removal finds a person's operations by it. Not by the account first: before anything is counted,
-- the planner takes any index that begins with the account for as good as any other. With the
-- account all the same, else it reads all of the account's to combine the two.
CREATE INDEX operation_about_person ON crm.operation (person_key, account_id)
WHERE person_key IS NOT NULL;
