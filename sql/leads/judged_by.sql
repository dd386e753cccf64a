SELECT judged_by FROM crm.attribution_said WHERE account_id = :account_id
