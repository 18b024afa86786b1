"""What is installed is whole, and nothing else on the machine goes by our names."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from api.checkup import OURS, strangers
from tests.conftest import ROOT


def test_no_other_package_owns_one_of_our_names() -> None:
    assert strangers() == {}


def test_the_wheel_carries_every_file_that_runs(tmp_path: Path) -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in tracked:  # built from a copy, so that no build folder is left in the repository
        (tmp_path / "copy" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "copy" / name)
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "-w", tmp_path, tmp_path / "copy"], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    front_end_tools = {"package.json", "package-lock.json", "vendor.sh", "catalog.sh", "VENDOR.md"}
    needed = {name for name in tracked if name.split("/")[0] in OURS and Path(name).name not in front_end_tools}
    assert needed - packed == set()
    assert not any(name.startswith(("tests/", "benchmarks/")) for name in packed)
