"""Every limit of Salesforce that the pipeline works with, once, with its source."""

# Composite resource: one API call; REST API Developer Guide, "Composite".
COMPOSITE_SUBREQUESTS = 25
COMPOSITE_QUERIES_OR_COLLECTIONS = 5

# sObject Collections; REST API Developer Guide, "sObject Collections": records of one
# request, and runs of one sObject in it ("chunks": account, account, contact, account is three).
COLLECTION_RECORDS = 200
COLLECTION_RUNS = 10

# SOQL and SOSL Reference, "SOQL and SOSL Limits": the text of a query.
# A query in a URL is bounded by 16,384 bytes instead, hence queries travel inside a composite.
SOQL_CHARS = 100_000

# REST API Developer Guide, "Query Options Header": records of one page, less for wide rows.
QUERY_PAGE = 2_000

# Bulk API 2.0 Developer Guide, "Upload Job Data": 150 MB once encoded as base64.
BULK_UPLOAD_BYTES = 100_000_000
# The same, "Limits": fewer records are better sent by REST.
BULK_WORTHWHILE_RECORDS = 2_000
# Records asked for in one page of a bulk query's result; a larger page needs more memory there.
BULK_RESULT_PAGE = 250_000

# The fields' length in the recorded describes of Lead, Contact and Event.
EMAIL_CHARS = 80

# Object Reference, "Primitive Data Types": dates and times from 1700 to 4000, and an int's range.
SALESFORCE_YEARS = (1700, 4000)
INT_RANGE = (-(2**31), 2**31 - 1)

# SOAP login() exists up to this version of the API and ends with Summer '27 (help 005132110).
LAST_SOAP_LOGIN_VERSION = 64

# API Request Limits and Allocations: the allocation rolls over 24 hours, so that what was used
# an hour ago is free again 23 hours from now; a paused account looks again after this time.
PAUSE_SECONDS = 3_600

# The same: requests of over 20 seconds that run at once, 5 in a developer's or trial org, else 25.
PARALLEL_REQUESTS = 5

# Tries of a request that wrote nothing, and the wait before the second one (then twice that).
TRIES = 3
FIRST_WAIT_SECONDS = 0.5

CONNECT_TIMEOUT_SECONDS = 10.0
