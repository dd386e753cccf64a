"""The package as a wheel, in an environment without the checkout: commands find their files."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.settings import PROJECT
from crm_pipeline_tests.cycle.conftest import ORG

pytestmark = pytest.mark.deep


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    # Builds leave files in a checkout, which the next one would pack.
    left_out = shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__", "node_modules")
    shutil.copytree(PROJECT, source, ignore=left_out)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder)]
    subprocess.run([*build, str(source)], check=True, cwd=folder)
    [made] = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scripts of an environment that has the wheel, and the dependencies of this one."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    there = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q"]
    subprocess.run([*install, "--no-deps", "--no-index", str(wheel)], check=True)
    Path(there, "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return folder / "bin"


def test_it_has_the_statements_and_no_tests(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    shipped = {str(each.relative_to(PROJECT)) for each in (PROJECT / "sql").rglob("*.sql")}
    packed = {
        name.removeprefix("crm_pipeline/files/")
        for name in names
        if name.startswith("crm_pipeline/files/sql/")
    }
    assert packed == shipped
    assert not [name for name in names if name.startswith(("crm_pipeline_tests/", "benchmarks/"))]


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
