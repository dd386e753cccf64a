"""One Salesforce org: logging in, batching, matching, error codes, API budget.

It knows nothing of webinars, the warehouse, our database or Dagster. A caller that writes
to an org logs in (`login`), finds records (`matching`), makes values fit (`describe`), sends writes
(`writes` for a few, `bulk` for many, `budget` to choose) and asks `errors` what a refusal means.
"""
