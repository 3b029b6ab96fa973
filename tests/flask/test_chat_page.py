"""The Flask chat's page in headless Chromium: two tabs on two workers, started by the README's command."""

from __future__ import annotations

import pytest
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.cluster.browser import chromium
from tests.cluster.command import wait_until
from tests.flask.gunicorn import Gunicorn
from tests.flask.test_chat import APP, CONFIG

ATTACK = "<img src=x onerror=\"document.title='owned'\">"


class Tab:
    """One tab with the page of somebody."""

    def __init__(self, driver, url, name):
        driver.switch_to.new_window("tab")
        self.driver, self.handle = driver, driver.current_window_handle
        driver.get(f"{url}/?name={name}")
        self.sees("#me", "you are")
        self.node = self.text("#me").partition(" on ")[2]

    def show(self):
        self.driver.switch_to.window(self.handle)

    def text(self, selector):
        return self.driver.execute_script("return document.querySelector(arguments[0]).innerText", selector)

    def sees(self, selector, words):
        self.show()
        WebDriverWait(self.driver, 30, 0.05).until(lambda _: words in self.text(selector))

    def press(self, words):
        """Press a button, which the page may draw anew between the two steps of that."""
        self.show()
        drawn_anew = NoSuchElementException, StaleElementReferenceException
        press = WebDriverWait(self.driver, 30, 0.05, ignored_exceptions=drawn_anew)
        button = f"//button[text()='{words}']"
        press.until(lambda driver: driver.find_element(By.XPATH, button).click() is None)

    def type(self, selector, words):
        self.show()
        self.driver.find_element(By.CSS_SELECTOR, selector).send_keys(words + "\n")


@pytest.fixture(scope="module")
def tabs(tmp_path_factory):
    """Two tabs on two workers; the system chooses the worker of each, so it takes some trying."""
    with Gunicorn(APP, *CONFIG) as server, chromium(tmp_path_factory.mktemp("profile")) as driver:
        wait_until(lambda: sum("Booting worker" in line for line in server.lines) == 2)
        ada = Tab(driver, server.url, "Ada")
        for _ in range(40):
            bob = Tab(driver, server.url, "Bob")
            if bob.node != ada.node:
                break
            driver.close()
            ada.show()
        assert bob.node != ada.node
        yield ada, bob


def test_words_reach_the_other_worker(tabs):
    """What one says in a room is in the other's log, as text, with the name of the worker it came from."""
    ada, bob = tabs
    for one in tabs:
        one.press("tea")
    ada.type("#text", "Hello Bob")
    bob.sees("#log", "Ada")
    bob.sees("#log", f"Hello Bob{ada.node}")
    bob.type("#text", ATTACK)
    ada.sees("#log", ATTACK)
    assert ada.driver.title == "Flask chat"


def test_errors_are_shown(tabs):
    """What the server refuses is explained on the page, and goes when something else works."""
    ada, _ = tabs
    ada.type("#room", "x" * 30)
    ada.sees("#error", "room has at most 24 characters, this one 30")
    ada.type("#room", "cellar")
    ada.sees("#rooms", "cellar")
    assert ada.text("#error") == ""
    ada.driver.find_element(By.ID, "leave").click()
    WebDriverWait(ada.driver, 30, 0.05).until(lambda _: "cellar" not in ada.text("#rooms"))


def test_the_page_is_at_home_everywhere(tabs):
    """On a phone nothing is wider than the screen; no page has had an error or asked another server."""
    ada, bob = tabs
    ada.show()
    ada.driver.set_window_size(375, 700)
    assert ada.driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    for one in (ada, bob):
        one.show()
        assert one.driver.get_log("browser") == []
        asked = one.driver.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
        assert all(url.startswith(one.driver.current_url.partition("?")[0]) for url in asked)
