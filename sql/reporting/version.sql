SELECT v.version FROM reporting.version AS v
