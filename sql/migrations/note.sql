INSERT INTO crm.migration (folder, name) VALUES (:folder, :name)
