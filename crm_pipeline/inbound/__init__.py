"""Requests from Salesforce: who may ask, what was asked, and who is not to be processed.

Everything here is about rows of the pipeline's own tables. The listener (`crm_pipeline.listener`)
writes them, the flow `inbound` works them off.
"""
