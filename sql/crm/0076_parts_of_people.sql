-- People of whom several flows want something: a part is kept of each, and their fields together are
-- what is sent. Whether an account has any such people is one look.
CREATE INDEX operation_of_several_flows ON crm.operation (account_id)
WHERE kind = 'person' AND intent ? 'parts';
