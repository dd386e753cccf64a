SELECT seq, digest FROM crm.hold_tombstones(:account_id, :after)
