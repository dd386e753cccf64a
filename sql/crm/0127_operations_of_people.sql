-- A removal finds a person's operations by it. Not by the account first: before anything is counted,
-- the planner takes any index that begins with the account for as good as any other.
CREATE INDEX operation_about_person ON crm.operation (person_key) WHERE person_key IS NOT NULL;
