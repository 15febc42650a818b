"""The page of a report in a browser: filters, links, copying, widths, and that nothing runs that should not."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from spec_tests.reporting.page import page
from spec_tests.reporting.record import Report

from .reports import BAD, CLAUSES, SNIPPET, hostile_report, report, report_of_one

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (  # nothing but the page; without the sandbox, since tests may run as root in a container
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP, PHONE = (1280, 900), (390, 844)  # CSS pixels
PATIENCE = 10  # seconds
WATCH = """
    window.broken = [];
    window.alert = () => broken.push("alert");
    addEventListener("error", (event) => broken.push(`error: ${event.message}`));
    addEventListener("securitypolicyviolation", (event) => broken.push(`policy: ${event.violatedDirective}`));
"""

Driver = Any
Open = Callable[..., Driver]


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """Chromium without a window."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    service = shutil.which("chromedriver")
    if not browser or not service:
        pytest.skip("needs Chromium and chromedriver (Debian: chromium, chromium-driver)")
    options = Options()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options=options, service=Service(service))
    started.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
    yield started
    started.quit()


@pytest.fixture
def opened(driver: Driver, tmp_path: Path) -> Iterator[Open]:
    """Open the page of a report, which then must run without a complaint."""

    def opened(shown: Report | None = None, address: str = "", size: tuple[int, int] = DESKTOP) -> Driver:
        file = tmp_path / "page.html"
        file.write_text(page(shown or report()), encoding="utf-8")
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        driver.get("about:blank")
        driver.get(f"{file.as_uri()}{address}")
        return driver

    yield opened
    assert driver.execute_script("return broken") == []
    assert driver.execute_script("return performance.getEntriesByType('resource').map((e) => e.name)") == []
    assert [entry["message"] for entry in driver.get_log("browser")] == []


def choose(driver: Driver, name: str, value: str) -> None:
    """Set a filter as a reader does."""
    Select(driver.find_element(By.NAME, name)).select_by_value(value)


def shown(driver: Driver, selector: str = "tr[data-clause]") -> list[str]:
    """The clauses that are to be seen."""
    script = "return [...document.querySelectorAll(arguments[0])].filter((e) => !e.closest('[hidden]'))"
    return [
        element.get_attribute("id") or element.get_attribute("data-clause") for element in run(driver, script, selector)
    ]


def run(driver: Driver, script: str, *arguments: object) -> Any:
    """What JavaScript gives."""
    return driver.execute_script(script, *arguments)


def address(driver: Driver) -> str:
    """What stands behind # in the address."""
    return str(run(driver, "return location.hash.slice(1)"))


def wait(driver: Driver, script: str, *arguments: object) -> None:
    """Until it is true."""
    WebDriverWait(driver, PATIENCE).until(lambda _: run(driver, script, *arguments))


def test_everything_is_shown_at_first(opened: Open) -> None:
    driver = opened()
    assert shown(driver) == [clause.id for clause in CLAUSES]
    assert sorted(shown(driver, ".clause")) == sorted(clause.id for clause in CLAUSES)
    assert driver.find_element(By.TAG_NAME, "output").text == "6 of 6 clauses"
    assert run(driver, "return [...document.images].every((image) => image.complete && image.naturalWidth > 0)")


@pytest.mark.parametrize(
    ("name", "value", "ids"),
    [
        ("stage", "augmentation", ["AUG-6", "ROT-1"]),
        ("level", "SHOULD", ["ACC-7"]),
        ("outcome", "failing", ["PAD-4", "ROT-1"]),
        ("outcome", "timed-out", ["ROT-1"]),
    ],
)
def test_a_filter_leaves_what_matches_and_is_kept_in_the_address(
    opened: Open, name: str, value: str, ids: list[str]
) -> None:
    driver = opened()
    choose(driver, name, value)
    assert shown(driver) == ids
    assert sorted(shown(driver, ".clause")) == sorted(ids)
    assert address(driver) == f"{name}={value}"
    driver.refresh()
    assert shown(driver) == ids
    driver.find_element(By.CSS_SELECTOR, "#filters button").click()
    assert len(shown(driver)) == len(CLAUSES)
    assert address(driver) == ""


def test_one_implementation_can_be_looked_at_alone(opened: Open) -> None:
    driver = opened()
    choose(driver, "implementation", BAD)
    heads = driver.find_elements(By.CSS_SELECTOR, ".matrix thead th")
    assert [head.text for head in heads if head.is_displayed()] == ["clause", BAD]
    choose(driver, "outcome", "passed")
    assert shown(driver) == ["POOL-1"]  # with others PAD-4 passes too
    assert not driver.find_element(By.ID, "failing").is_displayed()


def test_text_is_found_in_sentences_and_in_what_failed(opened: Open) -> None:
    driver = opened(address="#text=convolution+at")
    assert shown(driver) == ["PAD-4"]
    field = driver.find_element(By.NAME, "text")
    assert field.get_attribute("value") == "convolution at"
    field.clear()
    field.send_keys("odd ZERO")
    assert shown(driver) == ["PAD-4"]
    field.send_keys(" and a word of nowhere")
    assert shown(driver) == []
    assert address(driver) == "text=odd+ZERO+and+a+word+of+nowhere"


def test_a_number_on_a_card_leads_to_its_clauses(opened: Open) -> None:
    driver = opened()
    driver.find_element(By.CSS_SELECTOR, "#implementation-1 .counts a").click()
    wait(driver, "return document.querySelectorAll('tr[data-clause]:not([hidden])').length === 1")
    assert shown(driver) == ["PAD-4"]


@pytest.mark.parametrize("target", ["PAD-4.1", "TRAIN-4.0", "ROT-1.0", "POOL-1"])
def test_a_cell_leads_to_what_is_said_of_it(opened: Open, target: str) -> None:
    driver = opened(address=f"#text={target.partition('.')[0]}")
    link = driver.find_element(By.CSS_SELECTOR, f".matrix a[href='#{target}']")
    run(driver, "arguments[0].focus()", link)
    link.send_keys(Keys.ENTER)
    wait(driver, "return document.activeElement.id === arguments[0]", target)
    place = run(driver, "return document.activeElement.getBoundingClientRect().top")
    assert 0 <= place < DESKTOP[1]
    assert driver.find_element(By.ID, target).is_displayed()
    assert address(driver) == f"{target}&text={target.partition('.')[0]}"


def test_a_link_to_a_clause_opens_it_and_comes_before_filters(opened: Open) -> None:
    driver = opened(address="#TRAIN-4.0&stage=layers")
    wait(driver, "return document.activeElement.id === 'TRAIN-4.0'")
    assert address(driver) == "TRAIN-4.0"
    assert len(shown(driver)) == len(CLAUSES)


def test_an_address_that_means_nothing_does_no_harm(opened: Open) -> None:
    driver = opened(address="#stage=nowhere&implementation=%E0%A4%A&NOPE-1&=%")
    assert len(shown(driver)) == len(CLAUSES)


def test_the_copy_button_copies_the_snippet(opened: Open) -> None:
    driver = opened()
    driver.find_element(By.CSS_SELECTOR, ".again button").click()
    wait(driver, "return document.querySelector('.again button').textContent === 'Copied'")
    run(driver, "document.body.prepend(document.createElement('textarea'))")
    area = driver.find_element(By.TAG_NAME, "textarea")
    area.send_keys(Keys.CONTROL, "v")
    assert area.get_attribute("value") == SNIPPET


def test_stages_that_are_not_claimed_are_folded_until_they_are_asked_for(opened: Open) -> None:
    driver = opened(report_of_one())
    folded = driver.find_elements(By.CSS_SELECTOR, "details.left-out")
    assert [part.get_attribute("open") for part in folded] == [None] * 6
    assert driver.find_element(By.TAG_NAME, "output").text == "7 of 7 clauses"
    choose(driver, "stage", "training")
    assert [part.is_displayed() for part in folded] == [False, True, False] * 2
    assert driver.find_element(By.ID, "TRAIN-4").is_displayed()
    assert shown(driver) == ["TRAIN-4"]


def test_a_link_opens_what_is_folded_twice(opened: Open) -> None:
    for target in ("TRAIN-4.0", "PAD-5.0"):
        driver = opened(report_of_one(), address=f"#{target}")
        wait(driver, "return document.activeElement.id === arguments[0]", target)
        assert driver.find_element(By.ID, target).is_displayed()


MADE = {"report": report, "one": report_of_one, "hostile": lambda: hostile_report()[0]}


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_a_phone_need_not_scroll_sideways(opened: Open, made: Callable[[], Report]) -> None:
    driver = opened(made(), size=PHONE)
    run(driver, "document.querySelectorAll('details').forEach((part) => (part.open = true))")
    width, inner = run(driver, "return [document.documentElement.scrollWidth, innerWidth]")
    assert width <= inner == PHONE[0]
    assert driver.find_element(By.CSS_SELECTOR, ".matrix td a").is_displayed()


def test_nothing_of_an_implementation_runs(opened: Open) -> None:
    driver = opened(hostile_report()[0])
    choose(driver, "outcome", "failed")
    driver.find_element(By.CSS_SELECTOR, ".matrix td a").click()
    wait(driver, "return document.activeElement.id === 'PAD-1.0'")
    assert run(driver, "return document.scripts.length") == 1


def test_without_scripts_everything_is_there(opened: Open, driver: Driver) -> None:
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        opened()
        assert not driver.find_element(By.ID, "filters").is_displayed()
        for clause in CLAUSES:
            assert driver.find_element(By.ID, clause.id).is_displayed()
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
        driver.refresh()
