-- Operations with a code, of all accounts, in the order of numbers. What else is asked of them stands in the
-- index as well: among a million with one code those of a kind are found without a look at each. Done ones have no
-- code, and a code changes with the state only: nothing is dearer to write but what failed or was rejected.
CREATE INDEX operation_failed_with ON crm.operation (error_code, operation_id, state, kind, account_id)
WHERE error_code IS NOT NULL;
CREATE INDEX operation_rejected_with ON crm.operation (reason_code, operation_id, state, kind, account_id)
WHERE reason_code IS NOT NULL;

-- Of kinds that are few, or are not there, among tens of millions: which pages have them. It is a thousandth of
-- another index's size, and costs as little to keep.
CREATE INDEX operation_kinds ON crm.operation
USING brin (kind text_bloom_ops (n_distinct_per_range = 16))
WITH (pages_per_range = 32, autosummarize = on);

-- What was written since the last VACUUM is not read whole either.
ALTER INDEX crm.operation_happened SET (autosummarize = on);
