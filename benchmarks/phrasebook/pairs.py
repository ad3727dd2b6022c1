"""Makes the table of pairs that the configurations `languages_phrasebook_*` read.

    python -m benchmarks.phrasebook.pairs FOLDER [--output tatoeba.tsv]

FOLDER holds files `tatoeba.<lang>-eng.<lang>` and `tatoeba.<lang>-eng.eng`, line by line a sentence
and its English, as `data/tatoeba/v1` of https://github.com/facebookresearch/LASER has them: 112
languages of Tatoeba, CC BY 2.0 FR.
"""

import argparse
import csv
import io
from pathlib import Path

from serving import atomic
from serving.errors import UserError

COLUMNS = ("language", "text", "english")


def main() -> None:
    """Writes the table as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path, default=Path("tatoeba.tsv"))
    arguments = parser.parse_args()
    rows = read_pairs(arguments.folder)
    buffer = io.StringIO()
    csv.writer(buffer, delimiter="\t", lineterminator="\n").writerows([COLUMNS, *rows])
    atomic.write_text(arguments.output, buffer.getvalue())
    print(f"{len(rows)} pairs of {len({row[0] for row in rows})} languages: {arguments.output}")


def read_pairs(folder: Path) -> list[tuple[str, str, str]]:
    """The pairs (language, sentence, its English) of all languages.

    Raises:
      UserError: there are none, or a language's two files differ in length.
    """
    rows = []
    for english in sorted(folder.glob("tatoeba.*-eng.eng")):
        language = english.name.split(".")[1].removesuffix("-eng")
        texts, phrases = (
            path.read_text(encoding="utf-8").split("\n")
            for path in (english.with_suffix(f".{language}"), english)
        )
        if len(texts) != len(phrases):
            raise UserError(
                f"the two files of a language must have as many lines: {english.name} has "
                f"{len(phrases)}, the other {len(texts)}."
            )
        pairs = zip(texts, phrases)
        rows += [(language, text, phrase) for text, phrase in pairs if text and phrase]
    if not rows:
        raise UserError(f"{folder} must hold files such as tatoeba.nld-eng.eng; it has none.")
    return rows


if __name__ == "__main__":
    main()
