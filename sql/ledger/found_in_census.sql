-- Everybody with one of these addresses, and the contacts that leads among them became.
WITH people AS (
    SELECT c.person_key, c.record_id, c.became, c.candidate
    FROM census AS c
    WHERE c.person_key = any(CAST(:person_keys AS text []))
)

SELECT p.person_key, p.candidate
FROM people AS p
UNION ALL
SELECT p.person_key, contact.candidate
FROM people AS p
INNER JOIN census AS contact ON p.became = contact.record_id
WHERE contact.person_key <> p.person_key
