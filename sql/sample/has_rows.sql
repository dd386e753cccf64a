SELECT exists(SELECT FROM warehouse.client)
