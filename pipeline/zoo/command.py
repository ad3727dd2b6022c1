"""The command `fewshot zoo`."""

from pathlib import Path
from typing import Any

import click

from serving.zoo.fetch import fetch, folder_of
from serving.zoo.index import PACKAGED, PREFIX, Entry, find_entry, read_entries


@click.group()
def zoo() -> None:
    """Trained models by name, for `--model zoo:NAME`: list, fetch and publish them."""


@zoo.command("list")
def list_models() -> None:
    """List the models, and whether each is on this machine."""
    columns = ("model", "examples", "learner", "tested on", "result", "size", "where")
    rows = [
        (
            entry.id,
            entry.modality,
            entry.learner,
            f"{entry.ways}-way {entry.shots}-shot {entry.dataset}",
            _result(entry),
            f"{entry.size / 1e6:.2f} MB",
            _where(entry),
        )
        for entry in read_entries()
    ]
    _print_table(columns, rows)


@zoo.command()
@click.argument("name")
def show(name: str) -> None:
    """Show what the index holds of model NAME, or of NAME@VERSION."""
    entry = find_entry(name)
    facts = entry.to_json() | {"where": _where(entry), "folder": str(folder_of(entry))}
    _print_table(("", entry.id), [(key, str(value)) for key, value in facts.items()])


@zoo.command("fetch")
@click.argument("name")
@click.option(
    "--from",
    "from_dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with the packed file, on a machine without a network.",
)
def fetch_model(name: str, from_dir: Path | None) -> None:
    """Fetch model NAME, or NAME@VERSION, into the cache and print its folder."""
    click.echo(fetch(find_entry(name), from_dir))


@zoo.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="Lower-case letters, digits and hyphens.")
@click.option("--weights-licence", required=True, help="Licence of the weights, as MIT.")
@click.option("--data-licence", help="Licence of the data, where the project does not know it.")
@click.option("--url", help="Where the packed file will lie; by default beside the index.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=PACKAGED,
    help="Folder of the index and the packed file, for FEWSHOT_ZOO. Default: the package's own.",
)
def publish(
    run: Path,
    name: str,
    weights_licence: str,
    data_licence: str | None,
    url: str | None,
    output: Path,
) -> None:
    """Pack the model that RUN has pushed, with its card, and add it to an index.

    RUN is the folder of a run, or of a version that one has pushed.
    """
    from pipeline.zoo.publish import publish_run

    entry = publish_run(
        run,
        name=name,
        output=output,
        weights_licence=weights_licence,
        data_licence=data_licence,
        url=url,
    )
    click.echo(f"{entry.beside_index}: {entry.size} bytes, sha256 {entry.sha256}")
    own = "" if output == PACKAGED else f"FEWSHOT_ZOO={output} "
    click.echo(f"use: {own}fewshot query --model {PREFIX}{entry.name} ...")


def _result(entry: Entry) -> str:
    return f"{entry.metric.replace('_', ' ')} {entry.value:.4f} ± {entry.ci95:.4f}"


def _where(entry: Entry) -> str:
    if folder_of(entry).is_dir():
        return "in the cache"
    return "packaged" if entry.beside_index.is_file() else "to fetch"


def _print_table(columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    table = Table(*(Column(column, overflow="fold") for column in columns))
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    Console().print(table)
