-- Everybody with one of these addresses, and the contacts that leads among them became.
WITH people AS (
    SELECT c.address, c.record_id, c.became, c.candidate
    FROM census AS c
    WHERE c.address = any(CAST(:addresses AS text []))
)

SELECT p.address, p.candidate
FROM people AS p
UNION ALL
SELECT p.address, contact.candidate
FROM people AS p
INNER JOIN census AS contact ON p.became = contact.record_id
WHERE contact.address <> p.address
