"""The wheel `crm-pipeline-demo`: of the version of the pipeline, and for that one alone."""

import tomllib
from pathlib import Path

from setuptools import setup

pipeline = tomllib.loads(Path("../../pyproject.toml").read_text(encoding="utf-8"))["project"]
setup(version=pipeline["version"], install_requires=[f"{pipeline['name']}=={pipeline['version']}"])
