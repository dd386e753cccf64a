-- Once a day an account's tracked leads in the warehouse are counted against those that were read.

CREATE TABLE crm.lead_count (
    account_id text PRIMARY KEY REFERENCES crm.account ON DELETE CASCADE,
    counted_at timestamptz NOT NULL DEFAULT now(),
    leads bigint NOT NULL,
    found_unread bigint NOT NULL,
    still_unread bigint NOT NULL,
    without_time bigint NOT NULL
);

COMMENT ON TABLE crm.lead_count
IS 'The last count of an account''s tracked leads in the warehouse against those that were read.';
COMMENT ON COLUMN crm.lead_count.found_unread
IS 'Leads that no reading had seen, or not as they were shipped last; they were read then.';
COMMENT ON COLUMN crm.lead_count.still_unread IS 'Of these, those that no extract gives.';
COMMENT ON COLUMN crm.lead_count.without_time
IS 'Leads that no reading can see, as they have no time of shipping.';
