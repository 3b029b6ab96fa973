"""The demo in headless Chromium: two tabs on two nodes."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.cluster.browser import chromium
from tests.cluster.command import Command

ATTACK = "<img src=x onerror=\"document.title='owned'\">"


class Tab:
    """One tab of the browser with the demo's page in it."""

    def __init__(self, driver, url: str) -> None:
        driver.switch_to.new_window("tab")
        driver.get(url)
        self.driver = driver
        self.handle = driver.current_window_handle
        self.wait(lambda: self.text("#node").startswith("node-"))
        self.wait(lambda: self.find("#text").is_enabled())

    def show(self) -> None:
        self.driver.switch_to.window(self.handle)

    def wait(self, condition) -> None:
        WebDriverWait(self.driver, 60, 0.05).until(lambda _: condition())

    def find(self, selector: str):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return self.run("document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def run(self, expression: str, *arguments: object):
        return self.driver.execute_script(f"return {expression}", *arguments)

    def press(self, label: str) -> None:
        self.find(f"[aria-label='{label}']").click()

    def say(self, words: str) -> None:
        self.show()
        self.find("#text").send_keys(words)
        self.find("#say button").click()

    def hears(self, words: str) -> str:
        """Wait for these words; returns the classes of the message: its node's colour, `far` or `mine`."""
        self.show()
        last = "[...document.querySelectorAll('.message')].findLast(e => e.innerText.includes(arguments[0]))"
        self.wait(lambda: self.run(last, words) is not None)
        return self.run(f"{last}.className", words)


@pytest.fixture(scope="module")
def demo():
    """The URLs of the two nodes, the shared one first."""
    with Command("demo", "--port=0", "--direct-port=0") as command:
        yield command.nodes(2)


@pytest.fixture
def nodes(demo):
    return {node: direct for node, (_, direct) in demo.items()}


@pytest.fixture
def shared_url(demo):
    return demo["node-1"][0]


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@pytest.fixture
def tabs(nodes, driver):
    """A tab on each node, closed after the test."""
    first = driver.current_window_handle
    opened = [Tab(driver, nodes["node-1"]), Tab(driver, nodes["node-2"])]
    yield opened
    for tab in opened:
        tab.show()
        driver.close()
    driver.switch_to.window(first)


def test_two_tabs_on_two_nodes_talk(tabs):
    """What one says the other sees, in the colour of the other node and counted as from another one."""
    one, two = tabs
    one.say("hello from the first")
    assert two.hears("hello from the first") == "message n0 far"
    assert two.text(".far .badge") == "from node-1"
    assert (two.text("#other"), two.text("#same")) == ("1", "0")
    two.say("hello back")
    assert one.hears("hello back") == "message n1 far"
    assert one.hears("hello from the first") == "message n0 mine"


def test_page_names_its_node_and_the_others(tabs):
    """Each tab shows the node that serves it, and both see the same two nodes."""
    for tab, node in zip(tabs, ("node-1", "node-2"), strict=True):
        tab.show()
        assert tab.text("#node") == node
        tab.wait(lambda tab=tab: tab.text("#nodes").split() == ["node-1", "node-2"])
        assert tab.text("#nodes .here") == node


def test_tab_moves_to_another_node(shared_url, driver):
    """The button connects again until another node answers, and the room goes on there."""
    first = driver.current_window_handle
    tab = Tab(driver, shared_url)
    before = tab.text("#node")
    tab.find("#hop").click()
    tab.wait(lambda: tab.text("#node").startswith("node-") and tab.text("#node") != before)
    tab.wait(lambda: tab.find("#hop").is_enabled())
    tab.say("still here")
    tab.hears("still here")
    driver.close()
    driver.switch_to.window(first)


def test_rooms_are_separate(tabs):
    """Who left a room hears nothing of it; who joins another one hears that."""
    one, two = tabs
    two.press("Join tea")
    two.wait(lambda: two.find("#text").get_attribute("placeholder") == "Say something in tea")
    two.press("Leave lobby")
    two.wait(lambda: two.driver.find_elements(By.CSS_SELECTOR, "[aria-label='Join lobby']"))
    one.say("only for the lobby")
    one.hears("only for the lobby")
    one.press("Join tea")
    one.wait(lambda: one.find("#text").get_attribute("placeholder") == "Say something in tea")
    one.say("tea is ready")
    assert two.hears("tea is ready") == "message n0 far"
    assert two.text("#other") == "1"


def test_what_others_write_is_text(tabs):
    """Markup in a message is shown as it was typed."""
    one, two = tabs
    one.say(ATTACK)
    two.hears(ATTACK)
    assert two.driver.title == "Socket.IO cluster"
    assert not two.driver.find_elements(By.CSS_SELECTOR, ".log img")


def test_refusal_is_shown(tabs):
    """The server's words about a message that is too long appear on the page."""
    one, _ = tabs
    one.show()
    one.driver.execute_script("document.getElementById('text').removeAttribute('maxlength')")
    one.say("x" * 501)
    one.wait(lambda: one.text("#error") == "a message has at most 500 characters, this one 501")


def test_page_needs_nothing_from_elsewhere_and_reports_no_error(tabs, nodes):
    """All resources come from the node itself, and the browser's console stays empty."""
    one, _ = tabs
    one.show()
    loaded = one.run("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert {url.rpartition("/")[0] for url in loaded} == {nodes["node-1"]}
    assert one.driver.get_log("browser") == []


def test_phone_needs_no_sideways_scrolling(tabs):
    """On a screen 390 wide the page is as wide as the screen, and the message field is in view."""
    one, _ = tabs
    one.show()
    screen = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    one.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    assert one.run("document.documentElement.scrollWidth") == 390
    bottom = one.run("document.getElementById('text').getBoundingClientRect().bottom")
    assert 700 < bottom <= 844
    one.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
