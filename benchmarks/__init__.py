"""Measures the pipeline beside other ways to do the same job; see README.md."""
