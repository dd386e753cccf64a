-- Users are read by a flow of their own now, and once more for it.
DELETE FROM crm.source_position WHERE flow = 'inbound';
