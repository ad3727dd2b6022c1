"""`fewshot encoder`: pretrained encoders made ready for a configuration."""

from pathlib import Path

import click


@click.group()
def encoder() -> None:
    """Make pretrained encoders ready for `learner.backbone`."""


@encoder.command()
@click.argument("encoder")
@click.option("--output", required=True, type=click.Path(path_type=Path), help="File to write.")
@click.option("--size", default=256, show_default=True, type=click.IntRange(1), help="Numbers.")
def distil(encoder: str, output: Path, size: int) -> None:
    """Distil a text encoder to a table, for the backbone `static_text`.

    ENCODER is a folder with config.json, vocab.txt and model.safetensors, or an installed package
    that holds one. The table has a vector of --size numbers for each token of its vocabulary.
    """
    from components.meta_trainer.encoders.distil import distil, write_table
    from components.meta_trainer.encoders.files import find_encoder

    table = distil(find_encoder(encoder, "ENCODER"), size)
    write_table(table, str(output))
    tokens, depth = table.vectors.shape
    click.echo(f"{output}: {tokens} tokens of {depth} numbers, {output.stat().st_size} bytes")
    click.echo(f"from {table.about['source']}, licence as stated: {table.about['licence']}")
    click.echo(f"use: --set learner.backbone.name=static_text --set learner.backbone.path={output}")
