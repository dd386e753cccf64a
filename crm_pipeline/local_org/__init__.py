"""A local Salesforce org: HTTP in, records out. It knows nothing of the pipeline."""
