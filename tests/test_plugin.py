"""The documented plug-in is a distribution of its own and keeps the contract; one that breaks it is caught."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.collectors.contract import Contract
from tests.conftest import ROOT

GUIDE = ROOT / "docs" / "plugins" / "README.md"
EXAMPLE = ROOT / "docs" / "plugins" / "escucha-foro"
LONGEST = 60
"""Lines of the documented module."""
PROMISES = {name for name in dir(Contract) if name.startswith("test_")}

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Outcomes = dict[str, dict[str, set[str]]]
"""By class of tests and outcome (passed, failed, skipped): the names of the tests."""

CANARIES = '''
from dataclasses import replace
from typing import ClassVar

from foro import Foro
from foro_upstream import ForoUpstream

from escucha.errors import Refused, SourceError
from escucha.source import Checked
from tests.collectors.contract import Contract


class Hasty(Foro):
    """Moves its cursor on before the rest of a walk is read."""

    def pages(self, query, cursor):
        read = list(super().pages(query, cursor))
        return iter([replace(page, cursor=read[-1].cursor) for page in read])


class Greedy(Foro):
    """Swallows an item of every page."""

    def pages(self, query, cursor):
        return (replace(page, mentions=page.mentions[1:]) for page in super().pages(query, cursor))


class Mute(Foro):
    """Says nothing of what it could not read."""

    def pages(self, query, cursor):
        return (replace(page, refusals=()) for page in super().pages(query, cursor))


class Rash(Foro):
    """Takes an outage for a deletion."""

    def recheck(self, mentions):
        try:
            return super().recheck(mentions)
        except SourceError:
            return Checked(gone=frozenset(mention.source_id for mention in mentions))


class Proud(Foro):
    """Asks a person where patience would do."""

    def _get(self, *asked, **options):
        try:
            return super()._get(*asked, **options)
        except SourceError:
            raise Refused("No.") from None


def upstreams(kind):
    return {"foro": type("Canary", (ForoUpstream,), {"kind": kind, "__module__": ForoUpstream.__module__})}


class TestHasty(Contract):
    upstreams: ClassVar = upstreams(Hasty)


class TestGreedy(Contract):
    upstreams: ClassVar = upstreams(Greedy)


class TestMute(Contract):
    upstreams: ClassVar = upstreams(Mute)


class TestRash(Contract):
    upstreams: ClassVar = upstreams(Rash)


class TestProud(Contract):
    upstreams: ClassVar = upstreams(Proud)
'''
CAUGHT = {
    "TestHasty": "test_a_cut_run_loses_nothing_that_lies_beyond_the_overlap",
    "TestGreedy": "test_a_reading_gives_every_item_with_utc_times",
    "TestMute": "test_a_mangled_item_is_listed_and_the_rest_arrive",
    "TestRash": "test_an_upstream_that_fails_makes_no_deletion",
    "TestProud": "test_a_429_asks_for_patience_as_long_as_the_header_says",
}

FORUM = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from foro_upstream import ForoUpstream

forum = ForoUpstream(Path(sys.argv[1]))
forum.start = datetime.now(UTC) - timedelta(days=1)
forum.add(12)
with forum.on_loopback() as address:
    print(address, flush=True)
    sys.stdin.read()
"""


def installed(source: Path, site: Path, work: Path) -> Path:
    """Build a distribution's wheel and install it into a folder of its own; the folder."""
    pip, offline = [sys.executable, "-m", "pip"], ["-q", "--no-deps", "--no-index"]
    subprocess.run([*pip, "wheel", *offline, "--no-build-isolation", "-w", work, source], check=True, timeout=60)
    (wheel,) = work.glob("*.whl")
    subprocess.run([*pip, "install", *offline, "--target", site, wheel], check=True, timeout=60)
    return site


def environment(*places: Path, **settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ESCUCHA_", "PYTEST_"))}
    path = os.pathsep.join(map(str, [*places, ROOT]))
    return kept | {"PYTHONPATH": path, "ESCUCHA_LANG": "en", "COLUMNS": "200", "NO_COLOR": "1"} | settings


def outcomes(folder: Path, site: Path, *tests: str) -> Outcomes:
    """Run tests with the installed plug-in, and read what became of each."""
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *tests]
    subprocess.run(command, cwd=folder, env=environment(site), capture_output=True, timeout=100, check=False)
    told: Outcomes = {}
    for case in ElementTree.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        of_class = told.setdefault(case.attrib["classname"].rpartition(".")[2], {"passed": set(), "failed": set()})
        of_class.setdefault(outcome, set()).add(case.attrib["name"])
    return told


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the documented plug-in is installed in."""
    work = tmp_path_factory.mktemp("build")
    shutil.copytree(EXAMPLE, work / "source", ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    return installed(work / "source", work / "site", work)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the plug-in's tests and page, without its module: what they test is what is installed."""
    folder = tmp_path_factory.mktemp("bench")
    shutil.copytree(EXAMPLE / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(EXAMPLE / "foro.md", folder)
    shutil.copy(EXAMPLE / "pyproject.toml", folder)
    return folder


@pytest.fixture(scope="module")
def told(bench: Path, site: Path) -> Outcomes:
    """What became of the plug-in's tests, and of the tests that are to catch those that break the contract."""
    (bench / "tests" / "test_canaries.py").write_text(CANARIES, "utf-8")
    canaries = [f"tests/test_canaries.py::{canary}::{test}" for canary, test in CAUGHT.items()]
    return outcomes(bench, site, "tests/test_foro.py", *canaries)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a command of Escucha in an empty folder, with the distributions in `places`."""

    def command(*words: str, places: tuple[Path, ...], **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "api", *words], cwd=tmp_path, env=environment(*places, **settings),
            capture_output=True, text=True, timeout=60, check=False,
        )

    return command


@contextmanager
def forum_on_loopback(tests: Path, site: Path, work: Path) -> Iterator[str]:
    """The plug-in's own fake as a server; it ends when its input does."""
    command = [sys.executable, "-c", FORUM, str(work)]
    with subprocess.Popen(
        command, env=environment(site, tests), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.stdin.close()


def test_the_guide_quotes_the_files_as_they_are() -> None:
    quoted = re.findall(r"```\w+ (\S+)\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    assert {"foro.py", "pyproject.toml"} <= {name for name, _ in quoted}
    for name, text in quoted:
        assert text == (EXAMPLE / name).read_text("utf-8"), name


def test_the_documented_source_is_no_longer_than_promised() -> None:
    lines = (EXAMPLE / "foro.py").read_text("utf-8").splitlines()
    assert len(lines) <= LONGEST
    assert max(map(len, lines)) <= 120


def test_the_plug_in_keeps_the_whole_contract_as_a_distribution_of_its_own(told: Outcomes, bench: Path) -> None:
    assert not (bench / "foro.py").exists()
    assert told["TestForo"]["failed"] == told["test_foro"]["failed"] == set()
    kept = told["TestForo"]["passed"]
    assert {name.partition("[")[0] for name in kept} == PROMISES
    assert len(kept) > 20


def test_escucha_shows_it_watches_it_and_hears_through_it(
    run: Run, bench: Path, site: Path, tmp_path: Path
) -> None:
    listed = {one["name"]: one for one in json.loads(run("sources", "list", "--json", places=(site,)).stdout)}
    assert (listed["foro"]["title"], listed["foro"]["access"], listed["foro"]["recheck_days"]) == ("Flarum", "open", 30)
    assert run("brand", "add", "Lumbre", places=(site,)).returncode == 0
    with forum_on_loopback(bench / "tests", site, tmp_path) as address:
        added = run("watch", "add", "lumbre", "foro", address, places=(site,))
        assert (added.returncode, "Watch 1 is set: foro" in added.stdout) == (0, True), added.stderr
        open_host = {"ESCUCHA_WEB__ALLOW_HOSTS": json.dumps([address.removeprefix("http://")])}
        tried = run("watch", "try", "lumbre", "foro", address, "--json", places=(site,), **open_host)
    heard: list[dict[str, Any]] = json.loads(tried.stdout)
    assert len(heard) == 10
    assert all(one["text"].startswith("El café Lumbre") for one in heard)


def test_without_it_escucha_knows_no_such_source(run: Run) -> None:
    unknown = run("sources", "show", "foro", places=())
    assert (unknown.returncode, "There is no foro" in unknown.stderr) == (1, True), unknown.stderr


@pytest.mark.parametrize(("name", "owner"), [("foro", "foro:Foro"), ("rss", "collectors.rss:RssSource")])
def test_two_owners_of_one_name_are_told_apart_and_neither_is_taken(
    run: Run, site: Path, tmp_path: Path, name: str, owner: str
) -> None:
    another = tmp_path / "another"
    another.mkdir()
    shutil.copy(EXAMPLE / "foro.py", another / "otro.py")
    shutil.copy(EXAMPLE / "foro.md", another)
    facts = (EXAMPLE / "pyproject.toml").read_text("utf-8").replace("escucha-foro", "escucha-otro")
    facts = facts.replace('["foro"]', '["otro"]').replace('foro = "foro:Foro"', f'{name} = "otro:Foro"')
    (another / "pyproject.toml").write_text(facts, "utf-8")
    second = installed(another, tmp_path / "second", tmp_path)
    done = run("sources", "list", places=(site, second))
    assert done.returncode == 3
    assert all(told in done.stderr for told in (name, owner, "otro:Foro", "uninstall")), done.stderr
    assert "Traceback" not in done.stderr


def test_a_plug_in_that_cannot_be_imported_hides_no_other_and_says_why(
    run: Run, site: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "site"
    shutil.copytree(site, broken)
    (broken / "foro.py").write_text("import a_package_that_is_not_there\n", "utf-8")
    listed = run("sources", "list", "--json", places=(broken,))
    assert listed.returncode == 0, listed.stderr
    names = {one["name"] for one in json.loads(listed.stdout)}
    assert "hackernews" in names
    assert "foro" not in names
    shown = run("sources", "show", "foro", places=(broken,))
    assert (shown.returncode, "a_package_that_is_not_there" in shown.stderr) == (3, True), shown.stderr
    assert "Traceback" not in listed.stderr + shown.stderr


@pytest.mark.parametrize("canary", sorted(CAUGHT))
def test_a_plug_in_that_breaks_the_contract_is_caught(told: Outcomes, canary: str) -> None:
    assert {name.partition("[")[0] for name in told[canary]["failed"]} == {CAUGHT[canary]}
