"""Keeps many clients' Salesforce orgs true to what happens in a webinar platform."""
