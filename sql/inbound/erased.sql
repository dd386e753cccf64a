SELECT digest FROM crm.erased WHERE account_id = :account_id AND verb = 'erase'
