"""The web page of ``examples/livechat`` in a real browser: text appears while the agent writes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from beams import HostBeam
from openai_stub import HOLD, Answer, Exchange, OpenAIStub, Text
from samples import ROOT, Bridges
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait
from servers import Server

EXAMPLE = ROOT / "examples" / "livechat"
SECONDS = 30
"""No step of the browser takes longer."""

# Whitespace, what HTML and URLs would take for their own, and more than one byte for a character.
FIRST, REST = "Roses are <b>red</b>,\n", " 100% & violets — ∞ blue"


def answer(exchange: Exchange) -> Answer:
    """A model that stops in the middle of what it says."""
    return Text(FIRST, HOLD, REST)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """A Chromium without a window."""
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in programs:
        pytest.skip(
            "Chromium is not installed here: apt-get install chromium chromium-driver "
            "(in Debian; elsewhere, chromium and chromedriver have to be in PATH)"
        )
    program, driver = programs
    options = ChromeOptions()
    options.binary_location = str(program)
    for argument in (
        "--headless=new",
        "--no-sandbox",  # it does not start for root otherwise, and sees nothing but our page
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--no-first-run",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(argument)
    with Chrome(options, Service(driver)) as chrome:
        chrome.set_page_load_timeout(SECONDS)
        yield chrome


@pytest.fixture(scope="module")
def clients() -> tuple[str, ...]:
    return ("livechat",)


@pytest.fixture(scope="module")
def model() -> Iterator[OpenAIStub]:
    """The provider of the agent's model."""
    with OpenAIStub(answer) as stub:
        yield stub


@pytest.fixture(scope="module")
def page(
    compiled_host: HostBeam,
    bridges: Bridges,
    model: OpenAIStub,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """The address of the page, once Elixir serves it."""
    environment = {
        "OPENAI_API_KEY": "key",
        "OPENAI_BASE_URL": model.url,
        "LIVECHAT_MODEL": "openai-chat:stub",
    }
    folder = tmp_path_factory.mktemp("server")
    with (
        Server(bridges["livechat"], folder, environment=environment) as server,
        livechat(compiled_host, server.target) as address,
    ):
        yield address


@contextmanager
def livechat(host: HostBeam, target: str) -> Iterator[str]:
    """Runs the example as its BUILD file would, for a server at ``target``."""
    steps = (
        f'Supervisor.start_link([{{Assistant, target: "{target}"}}], strategy: :one_for_one)',
        f'Code.require_file("{EXAMPLE / "lib" / "livechat.ex"}")',
        f'Code.require_file("{EXAMPLE / "demo.exs"}")',
    )
    with subprocess.Popen(
        ["mix", "run", *(part for step in steps for part in ("--eval", step))],
        cwd=host.workspace / "suites",
        env=os.environ | host.environment | {"PORT": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        try:
            printed = []
            for line in process.stdout:
                printed.append(line)
                if line.startswith("Open "):
                    break
            else:
                pytest.fail("".join(printed), pytrace=False)
            yield line.split()[1]
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def ask(browser: Chrome, page: str, prompt: str) -> None:
    """Opens the page, and says something to the agent."""
    browser.get(page)
    browser.find_element(By.NAME, "prompt").send_keys(prompt)
    browser.find_element(By.TAG_NAME, "button").click()


def wait_for_answer(browser: Chrome, state: str, text: str) -> None:
    """Waits until the answer is in a state, and has exactly this text."""

    def shown(_: Chrome) -> bool:
        found = browser.find_elements(By.CLASS_NAME, "answer")
        return [
            (one.get_attribute("data-state"), one.get_property("textContent")) for one in found
        ] == [(state, text)]

    WebDriverWait(browser, SECONDS, poll_frequency=0.05).until(shown, f"{state} {text!r}")


def test_text_appears_while_the_agent_writes(browser: Chrome, page: str, model: OpenAIStub) -> None:
    ask(browser, page, "A poem, please")
    wait_for_answer(browser, "running", FIRST)
    exchange = model.exchange("A poem, please")
    assert not exchange.ended.is_set(), "the text was not live: the model had finished"
    exchange.go_on()
    wait_for_answer(browser, "done", FIRST + REST)
    assert exchange.ended.wait(SECONDS)
    assert not exchange.closed_by_client
    assert [one.prompt for one in model.exchanges].count("A poem, please") == 1


def test_closing_the_tab_stops_the_model(browser: Chrome, page: str, model: OpenAIStub) -> None:
    only = browser.current_window_handle
    browser.switch_to.new_window("tab")
    ask(browser, page, "A poem in a tab")
    wait_for_answer(browser, "running", FIRST)
    exchange = model.exchange("A poem in a tab")
    assert not exchange.ended.is_set()
    browser.close()
    browser.switch_to.window(only)
    assert exchange.ended.wait(SECONDS), "the model goes on for a tab that is closed"
    assert exchange.closed_by_client
