"""`make release` writes version, notes, commit and tag, and refuses what is not ready."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crm_pipeline.settings import PROJECT

pytestmark = pytest.mark.deep


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with what this one has, installed."""
    folder = tmp_path / "checkout"
    left_out = shutil.ignore_patterns(
        ".git", ".venv", ".data", ".*_cache", ".hypothesis", "build", "dist", "*.egg-info",
        "__pycache__", "crm_pipeline_tests", "site",
    )  # fmt: skip
    shutil.copytree(PROJECT, folder, ignore=left_out)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    git(folder, "init", "-q", "-b", "main")
    git(folder, "config", "user.name", "Ann")
    git(folder, "config", "user.email", "ann@example.com")
    (folder / ".git/info/exclude").write_text(".venv\n", encoding="utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "All of it")
    return folder


def git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


def release(folder: Path, version: str, check: str = "true") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "-o", "install", "release", f"VERSION={version}", f"CHECK={check}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_release_is_a_commit_a_tag_and_two_wheels(checkout: Path):
    made = release(checkout, "7.8.9")
    assert made.returncode == 0, made.stderr
    assert git(checkout, "log", "-1", "--format=%s").strip() == "Release 7.8.9"
    assert git(checkout, "tag", "--points-at", "HEAD").strip() == "v7.8.9"
    assert 'version = "7.8.9"' in (checkout / "pyproject.toml").read_text(encoding="utf-8")
    assert '"crm-pipeline-demo==7.8.9"' in (checkout / "pyproject.toml").read_text("utf-8")
    notes = (checkout / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## Unreleased\n\n## 7.8.9, 20" in notes
    assert {each.name.split("-py3")[0] for each in (checkout / "dist").glob("*.whl")} == {
        "crm_pipeline-7.8.9",
        "crm_pipeline_demo-7.8.9",
    }
    again = release(checkout, "7.8.9")
    assert again.returncode
    assert "is there already" in again.stderr
    assert "says nothing" in release(checkout, "7.9.0").stderr


def test_what_is_not_ready_is_not_released(checkout: Path):
    before = git(checkout, "rev-parse", "HEAD")
    assert "Name it" in release(checkout, "7.8").stderr
    assert release(checkout, "7.8.9", check="false").returncode
    (checkout / "README.md").write_text("changed", encoding="utf-8")
    assert "Commit or drop" in release(checkout, "7.8.9").stderr
    assert git(checkout, "rev-parse", "HEAD") == before
    assert not git(checkout, "tag")
