-- How often fields of these records came back to a value that they had before, one after another; only
-- what was seen within :seconds counts.
SELECT
    salesforce_id,
    field,
    CASE WHEN seen_at > now() - make_interval(secs => :seconds) THEN times ELSE 0 END AS times,
    previous
FROM crm.org_swing
WHERE
    organization_id = :organization_id
    AND salesforce_id = any(CAST(:salesforce_ids AS text []))
