-- Less than a second, after which PostgreSQL would end one of two that wait for each other.
SET LOCAL lock_timeout = '500ms'
