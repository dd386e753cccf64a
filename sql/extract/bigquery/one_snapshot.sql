-- BigQuery reads each statement from one state of all tables, and knows none for several: rows are
-- counted before they are read, so what is shipped in between is news to the next reading.
SELECT 1
