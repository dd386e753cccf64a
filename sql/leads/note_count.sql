-- The last count of an account's tracked leads.
INSERT INTO crm.lead_count (account_id, leads, found_unread, still_unread, without_time, vanished)
VALUES (:account_id, :leads, :found_unread, :still_unread, :without_time, :vanished)
ON CONFLICT (account_id) DO UPDATE
SET
    counted_at = now(),
    leads = excluded.leads,
    found_unread = excluded.found_unread,
    still_unread = excluded.still_unread,
    without_time = excluded.without_time,
    vanished = excluded.vanished,
    believed = 0
