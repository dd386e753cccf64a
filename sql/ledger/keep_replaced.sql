-- Keeps what updates replace. What a cycle sent before, it may have written: of that the first values count.
INSERT INTO crm.replaced_value AS r (
    account_id, operation_id, salesforce_id, cycle_id, sobject, former, written, sent_at, found_at,
    found_ours
)
SELECT
    :account_id,
    each.operation_id,
    each.salesforce_id,
    :cycle_id,
    each.sobject,
    each.former,
    each.written,
    CASE WHEN :sent THEN clock_timestamp() END,
    each.found_at,
    each.found_ours
FROM
    jsonb_to_recordset(CAST(:rows AS jsonb)) AS each (
        operation_id bigint,
        salesforce_id text,
        sobject text,
        former jsonb,
        written jsonb,
        found_at timestamptz,
        found_ours boolean
    )
ON CONFLICT (operation_id, salesforce_id, cycle_id) DO UPDATE
SET
    former = CASE WHEN r.sent_at IS NULL THEN excluded.former ELSE excluded.former || r.former END,
    written = CASE WHEN r.sent_at IS NULL THEN excluded.written ELSE r.written || excluded.written END,
    found_at = CASE WHEN r.sent_at IS NULL THEN excluded.found_at ELSE r.found_at END,
    found_ours = CASE WHEN r.sent_at IS NULL THEN excluded.found_ours ELSE r.found_ours END,
    kept_at = clock_timestamp(),
    sent_at = coalesce(excluded.sent_at, r.sent_at)
