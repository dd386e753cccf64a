ANALYZE census
