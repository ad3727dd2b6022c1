"""The pages: links, code, commands and tables that they show are as the project has them."""

import re
import shlex
from pathlib import Path

import click
import pytest

from benchmarks.readme import TABLES, commits, parts
from benchmarks.reporting import RECORDED, ROOT, read_result
from pipeline.cli import main
from serving.saved_model import signatures

README = ROOT / "README.md"
PAGES = sorted(
    page
    for folder in (".", "benchmarks", "pipeline", "components", "serving")
    for page in (ROOT / folder).glob("*.md" if folder == "." else "**/*.md")
)


def test_the_readme_is_short():
    assert len(README.read_text().splitlines()) <= 170


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_tables_hold_what_was_measured(table):
    _, shown, _ = parts(table.page.read_text(), table.markers)
    assert shown == table.make()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_names_the_commits_it_was_measured_at(table):
    measured = commits(read_result(table.name, RECORDED))
    assert all(commit in table.make() for commit in measured)
    assert measured or table.name == "configurations"


def test_commits_are_found_in_every_part_of_a_result():
    result = {"commit": "a", "rows": [{"commit": "b"}, {"of": {"commit": "c"}}], "other": 1}
    assert commits(result) == {"a", "b", "c"}


def references(page: Path) -> list[tuple[str, str]]:
    """The files and the names in them that a page refers to, as `components/a.py:name`."""
    pattern = r"`((?:pipeline|components|serving|tests)/[\w./-]*)(?::([\w.]+))?`"
    return re.findall(pattern, page.read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_refers_to_exists(page):
    for file, name in references(page):
        assert (ROOT / file).exists(), file
        for part in filter(None, name.split(".")):
            definition = rf"^ *(?:def |class |async def ){part}\b|^{part}\b.* = "
            assert re.search(definition, (ROOT / file).read_text(), re.MULTILINE), (file, name)


def test_the_architecture_page_follows_the_code():
    page = ROOT / "ARCHITECTURE.md"
    assert len([name for _, name in references(page) if name]) > 20
    for signature in vars(signatures).values():
        if isinstance(signature, str) and signature.isidentifier():
            assert signature in page.read_text(), signature


def command_lines(page: Path) -> list[list[str]]:
    """The words of each `fewshot` command in the code blocks of a page."""
    text = page.read_text().replace("\\\n", " ")
    blocks = re.findall(r"```\w*\n(.*?)```|((?:^    .*\n)+)", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join(fenced or indented for fenced, indented in blocks).splitlines()
    return [
        shlex.split(line, comments=True) for line in lines if line.strip().startswith("fewshot ")
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_exist(page):
    for _, *words in command_lines(page):
        command: click.Command = main
        context = click.Context(main)
        while isinstance(command, click.Group):
            name = words.pop(0)
            found = command.get_command(context, name)
            assert found is not None, name
            command = found
        options = {option for parameter in command.params for option in parameter.opts}
        used = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert used <= options, (page, words)
