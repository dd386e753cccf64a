SELECT question FROM crm.answer_key WHERE account_id = :account_id ORDER BY question
