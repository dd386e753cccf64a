"""The documents are right about commands, settings and dependencies."""

import ast
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from typing import Any

import pytest
import typer

from crm_pipeline.cli.app import app
from crm_pipeline.settings import PROJECT
from crm_pipeline_tests.sources.dialects import WAYS

DOCUMENTS = (
    "README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    *sorted(f"docs/{page.name}" for page in (PROJECT / "docs").glob("*.md")),
)
READ = {name: (PROJECT / name).read_text(encoding="utf-8") for name in DOCUMENTS}
README = READ["README.md"]


def commands() -> Iterator[str]:
    """Every call of crm-pipeline in the documents, without comments and continued lines joined."""
    for name, text in READ.items():
        if name == "docs/commands.md":
            continue  # made of the commands themselves
        joined = text.replace("\\\n", " ")
        yield from re.findall(r"^ {4}(crm-pipeline (?:[^#\n']|'[^']*')+)", joined, re.MULTILINE)
        yield from re.findall(r"`(crm-pipeline [^`]+)`", joined)


PROJECT_FILE = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT_FILE["optional-dependencies"]
FOR_WORK_ON_IT = ("dev", "bench")
ELSEWHERE = ("benchmarks/programs", "crm_pipeline_tests/sources/emulated.py")
"""Modules with packages of their own (`make bench`, `make emulators`)."""


def test_every_dependency_is_listed_with_its_extra_and_reason():
    needed = {"": PROJECT_FILE["dependencies"]} | {
        f"`{extra}`": packages for extra, packages in EXTRAS.items() if extra not in FOR_WORK_ON_IT
    }
    declared = {
        (re.split(r"[\[=>]", each)[0].lower(), extra)
        for extra, packages in needed.items()
        for each in packages
        if not each.startswith("crm-pipeline[")
    }
    table = README.split("## What it stands on")[1]
    rows = re.findall(r"^\| ([^|]+) \|([^|]*)\| ([^|]+) \|$", table, re.MULTILINE)[1:]
    listed = {
        (name.strip("` ").lower(), extra.strip())
        for cell, extra, _ in rows
        for name in cell.split(",")
    }
    assert listed == declared
    assert all(reason.strip() for *_, reason in rows)


def imported_packages(folder: str) -> set[str]:
    """The distributions that the modules of a folder import by name."""
    found = set()
    for module in (PROJECT / folder).rglob("*.py"):
        if any(module.is_relative_to(PROJECT / each) for each in ELSEWHERE):
            continue
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found.add(node.module.partition(".")[0])
            elif isinstance(node, ast.Import):
                found |= {each.name.partition(".")[0] for each in node.names}
    own = {"crm_pipeline", "crm_pipeline_tests", "benchmarks"}
    packages = packages_distributions()
    several = {each: packages[each] for each in found - own - sys.stdlib_module_names}
    # A namespace is shared by packages of one project, whose core is declared.
    return {canonical(min(those)) for those in several.values()}


@pytest.mark.parametrize(
    ("folder", "for_work"),
    [("crm_pipeline", ()), ("crm_pipeline_tests", ("dev",)), ("benchmarks", FOR_WORK_ON_IT)],
)
def test_every_package_that_is_imported_is_declared_and_pinned(
    folder: str, for_work: tuple[str, ...]
):
    declared = [*PROJECT_FILE["dependencies"]] + [
        package
        for extra, packages in EXTRAS.items()
        for package in packages
        if extra not in FOR_WORK_ON_IT or extra in for_work
    ]
    imported = imported_packages(folder)
    assert imported
    assert imported <= {canonical(re.split(r"[\[=>]", each)[0]) for each in declared}
    pinned = (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert imported <= {canonical(line.partition("==")[0]) for line in pinned}


def canonical(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


@pytest.mark.parametrize("line", sorted(set(commands())))
def test_every_command_in_the_documents_exists_with_its_options(line: str):
    words = shlex.split(line.replace("…", "x"))[1:]
    command: Any = typer.main.get_command(app)
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    of_all = words[:1] == ["--version"]
    assert of_all or not hasattr(command, "commands"), f"{line}: {words} is no command"
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word.split("=")[0] for word in words if word.startswith("--")} <= known | {"--json"}


def test_every_make_target_in_the_readme_exists():
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"(?:^ {4}|`)make (\w+)", README, re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_to_files_that_exist(name: str):
    for link in re.findall(r"(?<!!)\[[^\]]+\]\(([^)#]+)\)", READ[name]):
        assert link.startswith("https://") or (PROJECT / name).parent.joinpath(link).exists(), link


def test_files_and_folders_that_the_documents_name_exist():
    for text in READ.values():
        for path in re.findall(r"`((?:sql|cadence|flows|salesforce|accounts)/[a-z][\w/.]*)`", text):
            assert (PROJECT / path).exists() or (PROJECT / "crm_pipeline" / path).exists(), path


def test_every_statement_that_an_adopter_may_have_to_edit_is_named():
    named = re.findall(r"`([a-z_]+)(?:/…)?`", READ["docs/connect-a-warehouse.md"])
    assert {path.stem for path in (PROJECT / "sql/extract").iterdir()} - WAYS.keys() <= {*named}
