"""The real balancers with the configurations of examples/balancers, on ports of their own."""

from __future__ import annotations

import contextlib
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.services.process import free_port, program, stop, wait_for_port

EXAMPLES = Path(__file__).parents[2] / "examples" / "balancers"


@dataclass(frozen=True)
class Proxy:
    """A program with its example; `change` is replaced in that, to try what its comments offer."""

    name: str
    package: str
    example: str
    arguments: tuple[str, ...]
    sticky: bool
    change: tuple[str, str] = ("", "")
    port: int = 8000
    """The port of the example that clients use."""

    def __str__(self) -> str:
        kind = "sticky" if self.sticky else "tcp" if self.port == 8001 else "in turn"
        return f"{self.name} {kind}"

    def configuration(self, urls: list[str], ports: dict[int, int], folder: Path) -> Path:
        """Write the example with the addresses of these nodes and these ports."""
        text = (EXAMPLES / self.example).read_text()
        assert self.change[0] in text
        text = text.replace(*self.change)
        places = {f"127.0.0.1:900{at}": url.removeprefix("http://") for at, url in enumerate(urls, 1)}
        places |= {f"127.0.0.1:{old}": f"127.0.0.1:{new}" for old, new in ports.items()}
        text = re.sub(r"127\.0\.0\.1:\d+", lambda match: places[match[0]], text)
        # Debian's nginx wants to write to a folder of root's, where other users cannot.
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
        text = text.replace("\nhttp {", f"\nhttp {{ {temporary}")
        path = folder / self.example
        path.write_text(text)
        return path

    @contextlib.contextmanager
    def running(self, urls: list[str], folder: Path):
        """Start it in front of these nodes; gives its URL."""
        ports = {8000: free_port(), 8001: free_port()}
        path = self.configuration(urls, ports, folder)
        places = {"FILE": str(path), "FOLDER": str(folder)}
        arguments = [re.sub("FILE|FOLDER", lambda match: places[match[0]], one) for one in self.arguments]
        log = folder / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [program(self.name, package=self.package), *arguments],
                env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
                stdout=output,
                stderr=output,
            )
        try:
            wait_for_port(ports[self.port], process, log)
            yield f"http://127.0.0.1:{ports[self.port]}"
        finally:
            stop(process)


NGINX = "daemon off; pid FOLDER/pid; error_log stderr;"
HAPROXY = ("haproxy", "haproxy", "haproxy.cfg", ("-db", "-f", "FILE"))
NGINX_CONF = (
    "nginx",
    "nginx-light",
    "nginx.conf",
    ("-p", "FOLDER", "-e", "stderr", "-c", "FILE", "-g", NGINX),
)
CADDY = ("caddy", "caddy", "Caddyfile", ("run", "--adapter", "caddyfile", "--config", "FILE"))

# Sticky ones first: what nodes passed on for the others may be logged after their test has ended.
PROXIES = [
    Proxy(*HAPROXY, sticky=True),
    Proxy(*NGINX_CONF, sticky=True),
    Proxy(*CADDY, sticky=True),
    Proxy(*HAPROXY, sticky=False, change=("    cookie node insert", "    # cookie node insert")),
    Proxy(*NGINX_CONF, sticky=False, change=("        hash $client", "        # hash $client")),
    Proxy(*CADDY, sticky=False, change=("lb_policy cookie node", "lb_policy round_robin")),
    Proxy(*HAPROXY, sticky=False, port=8001),
]
