"""What pyproject.toml cannot say: files beside the package go into the wheel, below it."""

from pathlib import Path
from shutil import copytree

from setuptools import setup
from setuptools.command.build_py import build_py

FILES = ("workspace.yaml", "dagster.yaml")


class BuildWithFiles(build_py):
    """Adds `sql/` and Dagster's files as `crm_pipeline/files/` (`crm_pipeline.settings.FILES`)."""

    def run(self) -> None:
        """Builds the package, and packs the files unless it is a checkout in use."""
        super().run()
        if self.editable_mode:
            return
        files = Path(self.build_lib, "crm_pipeline", "files")
        copytree("sql", files / "sql", dirs_exist_ok=True)
        for name in FILES:
            self.copy_file(name, str(files / name))


setup(cmdclass={"build_py": BuildWithFiles})
