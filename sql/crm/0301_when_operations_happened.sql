-- Operations since a time, of whatever state, among tens of millions. Rows lie about in the order of their
-- time: such an index is a thousandth of another one's size, and costs as little to keep.
CREATE INDEX operation_happened ON crm.operation
USING brin (greatest(created_at, sent_at, finished_at)) WITH (pages_per_range = 32);
