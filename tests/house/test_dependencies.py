"""No dependency is installed in a version with a known fault; for when no database can be reached."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import pytest
from packaging.requirements import Requirement

FAULTY = {
    "aiohttp<3.12.14": "CVE-2025-53643: requests can be smuggled in trailers",
    "certifi<2024.7.4": "CVE-2024-39689: trusts withdrawn roots",
    "django<5.2.8": "CVE-2025-64459: SQL can be injected by names of arguments",
    "flask-cors<6.0.0": "CVE-2024-6839: origins are matched too widely",
    "gunicorn<23": "CVE-2024-6827: requests can be smuggled",
    "h11<0.16": "CVE-2025-43859: requests can be smuggled in chunks",
    "idna<3.7": "CVE-2024-3651: a name can take very long to read",
    "jinja2<3.1.6": "CVE-2025-27516: templates can leave the sandbox",
    "python-socketio<5.14": "CVE-2025-61765: the bus can run code by pickles",
    "python-socketio>=5.14,<5.16.2": "CVE-2026-48804: half binary packets fill the memory",
    "redis<4.5.5": "CVE-2023-28859: answers go to the wrong connection",
    "redis==8.0.0": "idle subscriptions end after 5 seconds",
    "requests<2.32.4": "CVE-2024-47081: passwords of .netrc go to other hosts",
    "tornado<6.5": "CVE-2025-47287: malformed forms fill the log and block the loop",
    "urllib3<2.5.0": "CVE-2025-50181: redirects cannot be refused",
    "uvicorn<0.11.7": "CVE-2020-7695: headers can be injected",
    "websockets<9.1": "CVE-2021-33880: passwords can be guessed by timing",
    "werkzeug<3.0.6": "CVE-2024-49767: forms fill the memory",
}


@pytest.mark.parametrize("faulty", FAULTY)
def test_no_known_fault(faulty):
    """The installed version, if any, is not among the faulty ones."""
    requirement = Requirement(faulty)
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        return
    assert installed not in requirement.specifier, FAULTY[faulty]


@pytest.mark.parametrize(("installed", "refused"), [("5.13.0", 1), ("5.16.1", 1), ("5.18.1", 0)])
def test_the_list_refuses(installed, refused):
    """The list knows the faulty versions of what we build on."""
    named = [Requirement(each) for each in FAULTY if each.startswith("python-socketio")]
    assert sum(installed in each.specifier for each in named) == refused
