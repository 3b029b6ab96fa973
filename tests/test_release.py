"""A version is checked and built by one command, which publishes nothing."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from scripts import release
from tests.k8s.helm import find_helms

ROOT = Path(__file__).parents[1]
VERSION = release.read_version(ROOT)
CHANGES = f"# Changes\n\n## [Unreleased]\n\n## [{VERSION}] - 2026-01-31\n\n* Everything.\n"


class Checkout:
    """The files as they are here, committed, with changes of the version that is about to be released."""

    def __init__(self, root):
        self.root = root
        for name in self.git("ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT).splitlines():
            source, copy = ROOT / name, root / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            if source.is_symlink():
                copy.symlink_to(source.readlink())
            elif source.exists():
                copy.write_bytes(source.read_bytes())
        (root / "CHANGELOG.md").write_text(CHANGES)
        self.git("init", "--quiet")
        self.commit()

    def git(self, *arguments, cwd=None):
        who = ("-c", "user.name=test", "-c", "user.email=test@example.org")
        command = ["git", *who, *arguments]
        return subprocess.run(
            command, cwd=cwd or self.root, capture_output=True, text=True, check=True
        ).stdout

    def commit(self):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "A change")

    def replace(self, name, before, after):
        """Change a file and commit it."""
        text = (self.root / name).read_text()
        assert before in text
        (self.root / name).write_text(text.replace(before, after, 1))
        self.commit()

    def release(self):
        command = [sys.executable, "scripts/release.py"]
        return subprocess.run(command, cwd=self.root, capture_output=True, text=True, timeout=250)

    def refusal(self):
        """What a release that must fail says."""
        done = self.release()
        assert done.returncode == 1, done.stdout + done.stderr
        return done.stderr


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path / "checkout")


@pytest.mark.timeout(300)
def test_a_version_is_built_and_tried(checkout):
    """Wheel, sdist and chart are there, what publishes them is printed, and no tag was made."""
    done = checkout.release()
    assert done.returncode == 0, done.stdout + done.stderr
    folder = checkout.root / "dist" / VERSION
    built = {f"socketio_cluster-{VERSION}-py3-none-any.whl", f"socketio_cluster-{VERSION}.tar.gz"}
    built |= {f"socketio-cluster-{VERSION}.tgz"} if find_helms() else set()
    assert {path.name for path in folder.iterdir()} == built
    for name in built:
        assert f"dist/{VERSION}/{name}" in done.stdout
    for command in ("git push", "twine upload", "docker buildx build"):
        assert command in done.stdout
    assert checkout.git("tag") == checkout.git("status", "--porcelain") == ""
    with zipfile.ZipFile(folder / f"socketio_cluster-{VERSION}-py3-none-any.whl") as wheel:
        names = wheel.namelist()
    assert {name.split("/")[0] for name in names} == {
        "socketio_cluster",
        f"socketio_cluster-{VERSION}.dist-info",
    }
    for name in ("py.typed", "cluster/demo/static/index.html", "loadtest/report/style.css"):
        assert f"socketio_cluster/{name}" in names
    assert any(name.startswith("socketio_cluster/loadtest/targets/node/") for name in names)


def test_what_is_not_committed_is_not_released(checkout):
    """A changed and a new file are named, and nothing is built."""
    (checkout.root / "README.md").write_text("changed")
    (checkout.root / "new.py").touch()
    said = checkout.refusal()
    assert "M README.md" in said
    assert "?? new.py" in said
    assert not (checkout.root / "dist").exists()


def test_a_version_is_released_once(checkout):
    """A tag on this commit is right, and on another one it means that the version is used up."""
    checkout.git("tag", f"v{VERSION}")
    assert list(release.tree_faults(checkout.root, VERSION)) == []
    checkout.replace("README.md", "#", "##")
    assert "is released already" in checkout.refusal()


def test_versions_must_match(checkout):
    """All files that still have the last version are named at once."""
    checkout.replace("pyproject.toml", f'version = "{VERSION}"', 'version = "99.0.1"')
    said = checkout.refusal()
    assert "Chart.yaml: version is not 99.0.1" in said
    assert "Chart.yaml: appVersion is not 99.0.1" in said
    assert "[99.0.1]" in said


def test_changes_must_be_of_this_version(checkout):
    """What still stands under [Unreleased] keeps the version from being released."""
    checkout.replace("CHANGELOG.md", "## [Unreleased]\n", "## [Unreleased]\n\n* One more.\n")
    assert "CHANGELOG.md: at its top are not an empty [Unreleased]" in checkout.refusal()


def test_version_is_three_numbers(checkout):
    """A version that Python and Helm write in different ways is refused."""
    checkout.replace("pyproject.toml", f'version = "{VERSION}"', 'version = "1.0rc1"')
    assert "1.0rc1, and not three numbers" in checkout.refusal()


def test_wheel_must_be_complete_and_only_ours(checkout):
    """Both what is missing in the wheel and what would be installed beside the package are named."""
    wheel = 'targets.wheel]\ninclude = ["/socketio_cluster/*.py", "/socketio_cluster/py.typed"'
    checkout.replace(
        "pyproject.toml", wheel, wheel.replace(', "/socketio_cluster/py.typed"', ', "/scripts/release.py"')
    )
    said = checkout.refusal()
    assert "the wheel lacks socketio_cluster/py.typed" in said
    assert "not of the package: scripts/release.py" in said


def test_sdist_must_build_the_same_wheel(checkout):
    """An sdist without a part of the package is named, with that part."""
    sdist = 'targets.sdist]\ninclude = ["/socketio_cluster/*.py", "/socketio_cluster/py.typed", "/cluster", '
    checkout.replace("pyproject.toml", sdist + '"/loadtest", ', sdist)
    said = checkout.refusal()
    assert "socketio_cluster/loadtest/__init__.py" in said
    assert "the sdist builds another wheel" in said
