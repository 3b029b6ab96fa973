"""Check and build a release, and print the commands that publish it. Run it with `make release`.

It needs a commit whose version is the same everywhere, and puts the sdist, the wheel and the chart into
dist/VERSION. It tags, uploads and pushes nothing. docs/releasing.md tells the whole way.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
import venv
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "socketio_cluster"
FOLDERS = ("cluster", "loadtest", "manager")
"""The folders that the wheel has inside its one package."""
SHOP = """\
import socketio

from socketio_cluster import AsyncServer, ClusterManager

app = socketio.ASGIApp(AsyncServer(async_mode="asgi", client_manager=ClusterManager()))
"""
START_SECONDS = 60.0
PLATFORMS = "linux/amd64,linux/arm64"


class Unfit(Exception):
    """What was found cannot be released; the text says why."""


def main() -> int:
    """Do all of it; a fault ends it with a sentence and code 1."""
    try:
        version = read_version(ROOT)
        check(tree_faults(ROOT, version))
        check(version_faults(ROOT, version))
        folder = ROOT / "dist" / version
        shutil.rmtree(folder, ignore_errors=True)
        say("building the sdist and the wheel")
        sdist, wheel = build(ROOT, folder)
        check(content_faults(wheel_files(wheel), expected_files(tracked(ROOT))))
        with tempfile.TemporaryDirectory() as scratch:
            say("building the wheel again, from the sdist")
            check(sdist_faults(sdist, wheel, Path(scratch)))
            say("trying the wheel in an environment of its own")
            try_wheel(wheel, Path(scratch))
        chart = package_chart(folder)
    except Unfit as unfit:
        print(f"release: {unfit}", file=sys.stderr)
        return 1
    say("all is well; nothing was tagged, uploaded or pushed. These commands do it:\n")
    print("\n".join(commands(version, [sdist, wheel], chart)))
    return 0


def say(text: str) -> None:
    """Tell how far it is."""
    print(f"release: {text}", flush=True)


def check(faults: Iterable[str]) -> None:
    """Raise ``Unfit`` with all faults, if there are any."""
    if found := "\n".join(faults):
        raise Unfit(found)


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    """Run a program and return what it printed; raises ``Unfit`` with its output when it fails."""
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    if done.returncode:
        raise Unfit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def read_version(root: Path) -> str:
    """Return the version in pyproject.toml; raises ``Unfit`` unless it is three numbers.

    Python and Helm write other versions, such as those of candidates, in different ways.
    """
    version: str = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise Unfit(f"the version in pyproject.toml is {version}, and not three numbers")
    return version


def tree_faults(root: Path, version: str) -> Iterator[str]:
    """Name files that are not committed, and a tag of this version that is on another commit."""
    if changed := run("git", "status", "--porcelain", cwd=root):
        yield f"there are changes that are not committed:\n{changed.rstrip()}"
    if run("git", "tag", "--list", f"v{version}", cwd=root):
        tagged = run("git", "rev-parse", f"v{version}^{{commit}}", cwd=root)
        if tagged != run("git", "rev-parse", "HEAD", cwd=root):
            yield f"the tag v{version} is on another commit: version {version} is released already"


def version_faults(root: Path, version: str) -> Iterator[str]:
    """Name the files in which another version stands than in pyproject.toml."""
    chart = (root / "k8s" / "Chart.yaml").read_text(encoding="utf-8")
    for key in ("version", "appVersion"):
        if not re.search(rf'^{key}: "?{re.escape(version)}"?$', chart, re.MULTILINE):
            yield f"k8s/Chart.yaml: {key} is not {version}"
    changes = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    top = rf"^## \[Unreleased\]\n+## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$"
    if not re.search(top, changes, re.MULTILINE):
        yield f"CHANGELOG.md: at its top are not an empty [Unreleased] and then [{version}] with its date"


def build(source: Path, folder: Path, *targets: str) -> list[Path]:
    """Build with the environment's hatchling; returns the files, the sdist before the wheel.

    The wheel is for every platform, so nothing is compiled into it.
    """
    flags = [part for target in targets or ("sdist", "wheel") for part in ("--target", target)]
    env = {**os.environ, "CLUSTER_COMPILED": "off"}
    run(sys.executable, "-m", "hatchling", "build", "--directory", folder, *flags, cwd=source, env=env)
    return [*folder.glob("*.tar.gz"), *folder.glob("*.whl")]


def tracked(root: Path) -> list[str]:
    """Return the names of all committed files, but for links."""
    lines = run("git", "ls-files", "--stage", cwd=root).splitlines()
    return [line.partition("\t")[2] for line in lines if not line.startswith("120000")]


def wheel_files(wheel: Path) -> set[str]:
    """Return the names of the files in a wheel, without what describes the wheel itself."""
    with zipfile.ZipFile(wheel) as archive:
        about = "-".join(wheel.name.split("-")[:2]) + ".dist-info/"
        return {name for name in archive.namelist() if not name.startswith(about)}


def expected_files(committed: Iterable[str]) -> set[str]:
    """Return what belongs into the wheel: the package, with the three folders inside it."""
    inside = {f"{PACKAGE}/{name}" for name in committed if name.split("/")[0] in FOLDERS}
    return inside | {name for name in committed if name.split("/")[0] == PACKAGE}


def content_faults(found: set[str], expected: set[str]) -> Iterator[str]:
    """Name what a wheel lacks, and what it has and should not have."""
    if lacking := sorted(expected - found):
        yield f"the wheel lacks {', '.join(lacking)}"
    if surplus := sorted(found - expected):
        yield f"the wheel has what is not committed or not of the package: {', '.join(surplus)}"


def sdist_faults(sdist: Path, wheel: Path, scratch: Path) -> Iterator[str]:
    """Build the wheel from the sdist, and say so when it is another one, if only by a byte."""
    with tarfile.open(sdist) as archive:
        archive.extractall(scratch, filter="data")
    source = scratch / sdist.name.removesuffix(".tar.gz")
    (again,) = build(source, scratch / "again", "wheel")
    if again.read_bytes() != wheel.read_bytes():
        yield from content_faults(wheel_files(again), wheel_files(wheel))
        yield "the sdist builds another wheel than the checkout"


def try_wheel(wheel: Path, scratch: Path) -> None:
    """Install the wheel elsewhere, and serve an application beside modules called as our folders are."""
    home, shop = scratch / "venv", scratch / "shop"
    venv.create(home, symlinks=True)
    python = home / "bin" / "python"
    env = {name: value for name, value in os.environ.items() if not name.startswith(("CLUSTER_", "PYTHON"))}
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", wheel, cwd=scratch, env=env)
    shop.mkdir()
    (shop / "shop.py").write_text(SHOP, encoding="utf-8")
    for name in FOLDERS:
        (shop / f"{name}.py").write_text("raise RuntimeError('this is not the package')\n", encoding="utf-8")
    run(home / "bin" / "socketio-cluster", "--help", cwd=shop, env=env)
    serve(python, shop, env)


def serve(python: Path, shop: Path, env: dict[str, str]) -> None:
    """Serve shop.py until it has answered a client; raises ``Unfit`` with the log when it does not."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (shop / "log").open("w+") as log:
        options = ("--workers=1", "--drain-window=0", f"--port={port}")
        command = (python, "-m", PACKAGE, "serve", "shop:app", *options)
        process = subprocess.Popen(command, cwd=shop, env=env, stdout=log, stderr=log)
        try:
            answered = answers(process, f"http://127.0.0.1:{port}/socket.io/?EIO=4&transport=polling")
        finally:
            process.terminate()
            code = process.wait()
        if not answered or code:
            log.seek(0)
            raise Unfit(f"{PACKAGE} serve ended with {code}, {answered=}:\n{log.read()}")


def answers(process: subprocess.Popen[bytes], url: str) -> bool:
    """Ask until a server opens an Engine.IO session, its process has ended, or it takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(url, timeout=5) as answer:
                return bool(answer.read().startswith(b'0{"sid"'))
        except OSError:
            time.sleep(0.1)
    return False


def package_chart(folder: Path) -> Path | None:
    """Package the chart, where there is Helm; scripts/setup-tests may have built one."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "socketio-cluster" / "bin"
    helm = shutil.which("helm", path=f"{os.environ['PATH']}{os.pathsep}{cache}")
    if helm is None:
        say("there is no helm here: the chart is not packaged")
        return None
    say("packaging the chart")
    run(helm, "package", "k8s", "--destination", folder)
    (chart,) = folder.glob("*.tgz")
    return chart


def commands(version: str, files: list[Path], chart: Path | None) -> Iterator[str]:
    """Yield what is left to be done by hand, in this order; REGISTRY is where images and charts go."""
    yield f"git tag --annotate v{version} --message 'socketio-cluster {version}'"
    yield f"git push origin v{version}"
    yield " ".join(["python -m twine upload", *(str(path.relative_to(ROOT)) for path in files)])
    for name, target in (("socketio-cluster", "node"), ("socketio-cluster-loadtest", "loadtest")):
        image = f"REGISTRY/{name}:{version}"
        yield f"docker buildx build --platform {PLATFORMS} --target {target} --tag {image} --push ."
    if chart is not None:
        yield f"helm push {chart.relative_to(ROOT)} oci://REGISTRY/charts"


if __name__ == "__main__":
    sys.exit(main())
