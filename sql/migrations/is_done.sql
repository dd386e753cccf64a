SELECT exists(
    SELECT FROM crm.migration WHERE folder = :folder AND name = :name
)
