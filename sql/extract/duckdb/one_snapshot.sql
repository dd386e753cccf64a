-- A transaction of DuckDB sees one state of the file from its first statement on: nothing is to
-- be set.
SELECT 1
