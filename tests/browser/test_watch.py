"""The watch over every page test bites: what leaves the machine, what the console says, what a page throws."""

from tests.browser.conftest import OpenPage
from tests.support.browsing import Watch, grave_findings, unreached_by_keyboard
from tests.support.ports import free_port
from tests.support.waiting import eventually


def test_a_request_to_elsewhere_is_seen(open_page: OpenPage, watch: Watch) -> None:
    page = open_page("/")
    page.goto("about:blank")  # our own pages may ask nobody else: their policy forbids it
    away = f"127.0.0.2:{free_port()}/away"
    page.evaluate(f"fetch('http://{away}').catch(() => null)")
    page.evaluate(f"new WebSocket('ws://{away}') && null")
    # Playwright hands events on while it is asked something.
    eventually(lambda: page.evaluate("1") and len(watch.left) == 2)
    assert {f"http://{away}", f"ws://{away}"} == set(watch.left)
    watch.left.clear()
    watch.expected.append("ERR_CONNECTION_REFUSED")


def test_a_page_of_ours_may_not_ask_anybody_else(open_page: OpenPage, watch: Watch) -> None:
    page = open_page("/")
    away = f"http://127.0.0.2:{free_port()}/away"
    assert "refused" == page.evaluate(f"fetch('{away}').then(() => 'sent', () => 'refused')")
    eventually(lambda: page.evaluate("1") and watch.complaints)
    watch.expected.append("Content Security Policy")


def test_errors_and_exceptions_are_seen_but_for_those_that_are_meant(open_page: OpenPage, watch: Watch) -> None:
    page = open_page("/")
    page.evaluate("console.error('oh dear')")
    page.evaluate("setTimeout(() => { throw new Error('thrown') })")
    eventually(lambda: page.evaluate("1") and len(watch.complaints) == 2)
    watch.expected.append("oh dear")
    assert ["exception: thrown"] == [said.partition("\n")[0] for said in watch.unexpected()]
    watch.complaints.clear()


def test_what_cannot_be_read_or_reached_is_found(open_page: OpenPage) -> None:
    page = open_page("/tenants/contoso")
    page.evaluate("""() => {
        const heading = document.querySelector("main h2"), button = document.querySelector("main button");
        heading.style.color = "#aaaaaa";
        button.tabIndex = -1;
    }""")
    assert any(found.startswith("color-contrast (serious)") for found in grave_findings(page))
    missed = unreached_by_keyboard(page)
    assert 1 == len(missed)
    assert missed[0].startswith("not reached: <button")
