"""The code of docs/django-celery.md, in the files it names, does what the page says."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import uuid

import aiohttp
import pytest

from tests.cluster.command import ROOT, Command, clean_environment
from tests.flask.page import files
from tests.harness import PythonClient, Refused
from tests.services.process import stop

OF_THE_PAGE = {"asgi.py", "events.py", "tasks.py", "views.py"}
GIVEN = {
    "project/__init__.py": "",
    "project/settings.py": """
SECRET_KEY = "for a test"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "project.urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "test.sqlite3"}}
DATABASES["default"]["NAME"] = __file__.replace("settings.py", "test.sqlite3")
""",
    "project/urls.py": """
from django.urls import path

from project import views

urlpatterns = [path("news", views.news)]
""",
    "project/login.py": """
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup()
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, BACKEND_SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command

call_command("migrate", verbosity=0)
ada = User.objects.create_user("ada")
session = SessionStore()
session[SESSION_KEY] = str(ada.pk)
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session[HASH_SESSION_KEY] = ada.get_session_auth_hash()
session.create()
print(session.session_key)
""",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The folder with the page's files, and the cookie of somebody who is logged in there."""
    folder = tmp_path_factory.mktemp("django")
    found = files("django-celery.md")
    assert {name.removeprefix("project/") for name in found} == OF_THE_PAGE
    (folder / "project").mkdir()
    for name, text in (GIVEN | found).items():
        (folder / name).write_text(text)
    key = python("-m", "project.login", folder=folder)
    return folder, f"sessionid={key}"


def python(*arguments, folder, **env):
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment(folder) | env,
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout.strip()


def environment(folder):
    return clean_environment() | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


@contextlib.asynccontextmanager
async def visitor(url, cookie=""):
    """A client that brings this cookie."""
    one = PythonClient("default", "/", True)
    connect = one.sio.connect
    patient = {"wait_timeout": 30, "headers": {"Cookie": cookie}}
    one.sio.connect = lambda *args, **options: connect(*args, **(options | patient))
    try:
        await one.open(url, ["websocket"], None)
        yield one
    finally:
        await one.disconnect()


@pytest.fixture(scope="module")
def served(project, redis_server):
    """Django and Socket.IO on two workers; gives their URLs, the folder, the cookie, the environment."""
    folder, cookie = project
    url = redis_server.url
    env = {"CLUSTER_BUS": url, "CLUSTER_PREFIX": f"t{uuid.uuid4().hex[:10]}", "CELERY_BROKER": url}
    workers = ("serve", "project.asgi:app", "--workers", "2", "--port", "0", "--direct-port", "0")
    with Command(*workers, env=env | {"PYTHONPATH": environment(folder)["PYTHONPATH"]}) as command:
        yield [urls[1] for urls in command.nodes(2).values()], folder, cookie, env


@pytest.fixture
def celery(served):
    """A worker of Celery."""
    _, folder, _, env = served
    command = [sys.executable, "-m", "celery", "-A", "project.tasks", "worker", "-c", "2", "-l", "warning"]
    worker = subprocess.Popen(command, cwd=folder, env=environment(folder) | env)
    yield
    stop(worker)


async def test_users_and_views(served):
    """A stranger is refused, and a view on one worker reaches a user's room and any other on both."""
    (first, second), _, cookie, _ = served
    with pytest.raises(Refused, match="log in first"):
        async with visitor(first):
            pass
    async with contextlib.AsyncExitStack() as stack:
        enter = stack.enter_async_context
        http = await enter(aiohttp.ClientSession())
        here, there = [await enter(visitor(node, cookie)) for node in (first, second)]
        for room in ("user 1", None):
            data = {"title": "Hello"} | ({"room": room} if room else {})
            async with http.post(f"{first}/news", data=data) as response:
                assert response.status == 204
            for one in (here, there):
                assert await one.next("news", timeout=30) == [{"title": "Hello"}]
        assert await there.call("join", "tea") == []
        async with http.post(f"{first}/news", data={"title": "Tea", "room": "tea"}) as response:
            assert response.status == 204
        assert await there.next("news", timeout=30) == [{"title": "Tea"}]
        assert here.events.empty()


async def test_celery(served, celery):
    """A task in a worker of Celery tells the client that asked for it how far it is, in order."""
    (first, _), folder, cookie, env = served
    async with visitor(first, cookie) as one:
        order = f"from project.tasks import report; report.delay({one.sid!r}, 3)"
        await asyncio.to_thread(python, "-c", order, folder=folder, **env)
        for page in (1, 2, 3):
            assert await one.next("progress", timeout=30) == [{"page": page, "of": 3}]
        assert await one.next("report", timeout=30) == [{"url": "/reports/7"}]
