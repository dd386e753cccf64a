-- A plan that did not come to its end is applied once more.
DELETE FROM crm.plan_departure WHERE plan_id = :plan_id
