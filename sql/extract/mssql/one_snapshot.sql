-- Where the database allows it, SET TRANSACTION ISOLATION LEVEL SNAPSHOT in EXTRACT_DIR has a reading see
-- one state. Without that rows are counted before they are read, so what is shipped in between is
-- news to the next reading.
SELECT 1
