"""What a person does on the page of `fewshot serve --ui`, and what it then shows."""

from pathlib import Path

from tests.serving.chromium import Chromium

CARDS = "document.querySelectorAll('#classes .card')"
QUERY = "document.querySelector('#query .card')"
ANSWERED = "document.querySelector('#answer:not(.busy) .verdict')"
PROBLEM = "document.querySelector('#answer .problem')?.textContent"


def name_class(browser: Chromium, number: int, name: str) -> None:
    field = f"{CARDS}[{number}].querySelector('.title input')"
    browser.run(f"{field}.focus()")
    browser("Input.insertText", text=name)


def teach(browser: Chromium, support: dict[str, list[Path]], query: Path) -> None:
    """Names the classes, gives them files by dropping and by choosing, and drops a query."""
    for number, (name, files) in enumerate(support.items()):
        name_class(browser, number, name)
        card = f"{CARDS}[{number}]"
        browser.drop_files(card, *files[:1])
        browser.wait(f"{card}.querySelectorAll('li').length === 1")
        if files[1:]:
            browser.choose_files(f"{card}.querySelector('input[type=file]')", *files[1:])
            browser.wait(f"{card}.querySelectorAll('li').length === {len(files)}")
    browser.drop_files(QUERY, query)


def shown(browser: Chromium) -> dict[str, float]:
    """The probabilities in the answer, by class, in the order of the page."""
    browser.wait(ANSWERED)
    names, values = (
        browser.run(f"[...document.querySelectorAll('.bars .{part}')].map((e) => e.textContent)")
        for part in ("name", "value")
    )
    return {name: float(value.removesuffix(" %")) / 100 for name, value in zip(names, values)}
