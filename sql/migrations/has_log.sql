SELECT to_regclass('crm.migration') IS NOT NULL
