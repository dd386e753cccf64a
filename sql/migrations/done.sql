SELECT name FROM crm.migration WHERE folder = :folder
