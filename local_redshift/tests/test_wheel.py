"""The wheel: its licence, and the pages to which errors send their readers."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house import PACKAGE, PROJECT


def test_the_wheel_brings_the_licence_and_the_pages_that_errors_name(tmp_path: Path) -> None:
    pytest.importorskip("setuptools", minversion="77", reason="setuptools builds the wheel")
    tree = tmp_path / "tree"  # a build leaves its own files beside the code
    kept = shutil.ignore_patterns("*.egg-info", "build", "tests", "__pycache__", ".*")
    shutil.copytree(PROJECT, tree, ignore=kept)
    program = f"from setuptools.build_meta import build_wheel; build_wheel({str(tmp_path)!r})"
    built = subprocess.run(
        [sys.executable, "-c", program], cwd=tree, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as files:
        names = {name.partition("/")[2] for name in files.namelist()}
        (licence,) = (name for name in files.namelist() if name.endswith("licenses/LICENSE"))
        assert files.read(licence) == (PROJECT / "LICENSE").read_bytes()
    sources = [path.read_text("utf-8") for path in PACKAGE.rglob("*.py")]
    pages = {page for text in sources for page in re.findall(r"[\w/]*docs/\w+\.md", text)}
    assert pages == {"docs/reference.md"}
    for page in (*pages, "README.md"):
        assert f"data/share/doc/local-redshift/{page}" in names


def test_the_licence_is_the_repository_s() -> None:
    text = (PROJECT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text
    above = PROJECT.parent / "LICENSE"
    assert not above.is_file() or above.read_text("utf-8") == text
