"""The command `fewshot restyle`."""

import time
from pathlib import Path

import click
import numpy as np

from serving.client.client import FewShotClient
from serving.client.command import error_sentence
from serving.client.restyle_files import (
    check_output,
    read_pairs,
    read_picture,
    scale_down,
    write_png,
)
from serving.errors import UserError
from serving.protocol.status import StatusError
from serving.saved_model import signatures as sig
from serving.start_up import skip_unused_imports
from serving.zoo.fetch import local_folder

LONGEST = 1024
TIMEOUT = 120.0  # seconds


@click.command()
@click.argument("picture", type=click.Path(path_type=Path))
@click.argument("output", type=click.Path(path_type=Path))
@click.option(
    "--support",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of pairs: before/NAME.png and after/NAME.png, all of one size.",
)
@click.option("--model", help="zoo:NAME, or the folder of a SavedModel or of its versions.")
@click.option("--address", help="gRPC server, host:port or unix:PATH.")
@click.option("--model-name", default="default", show_default=True, help="Its name on a server.")
@click.option(
    "--longest",
    default=LONGEST,
    show_default=True,
    type=click.IntRange(1),
    help="Scale a larger PICTURE down, so that its longer side has so many pixels.",
)
def restyle(
    picture: Path,
    output: Path,
    support: Path,
    model: str | None,
    address: str | None,
    model_name: str,
    longest: int,
) -> None:
    """Draw PICTURE in the style that a few pairs of pictures show, into OUTPUT, a png.

    A style is what may be done to each pixel by it and its neighbourhood: colours, blur, outlines,
    screens. Nothing moves.
    """
    if bool(model) == bool(address):
        raise UserError("Give exactly one of `--model` and `--address`.")
    check_output(output, [picture, support])
    before, after = read_pairs(support, _notice)
    original = read_picture(picture, _notice)
    scaled = scale_down(original, longest)
    if scaled.shape != original.shape:
        _notice(f"{picture} was scaled down to {_size(scaled)} pixels; see `--longest`.")
    if model:
        skip_unused_imports()
    target = local_folder(model) if model else str(address)
    try:
        with FewShotClient.connect(target, model_name, timeout=TIMEOUT) as client:
            _check_model(client)
            start = time.perf_counter()
            restyled = apply(client, before, after, scaled)
            seconds = time.perf_counter() - start
    except StatusError as error:
        raise UserError(error_sentence(error, target)) from error
    write_png(output, restyled)
    click.echo(
        f"{output}: {_size(restyled)} pixels in the style of {len(before)} pairs, {seconds:.1f} s"
    )


def apply(
    client: FewShotClient, before: np.ndarray, after: np.ndarray, picture: np.ndarray
) -> np.ndarray:
    """A picture `[H, W, 3]` uint8 in the style of pairs `[S, H', W', 3]` uint8, likewise."""
    inputs = {
        sig.SUPPORT_X: before[np.newaxis],
        sig.SUPPORT_Y: after[np.newaxis] / np.float32(255.0),
        sig.QUERY_X: picture[np.newaxis, np.newaxis],
    }
    targets = client.run(sig.ANY_SIZE, inputs).outputs[sig.TARGETS][0, 0]
    return np.round(255.0 * np.clip(targets, 0.0, 1.0)).astype(np.uint8)


def _check_model(client: FewShotClient) -> None:
    signature = client.signatures.get(sig.ANY_SIZE)
    shape = signature.inputs[sig.QUERY_X].shape if signature else None
    if not shape or shape[-1] != 3:
        raise UserError(
            "The model must take pairs of colour pictures of any size, as one of "
            f"pipeline/configs/styles_in_colour.yaml does; this one offers "
            f"{', '.join(f'`{name}`' for name in sorted(client.signatures))}."
        )


def _notice(sentence: str) -> None:
    click.echo(sentence, err=True)


def _size(picture: np.ndarray) -> str:
    return f"{picture.shape[1]} x {picture.shape[0]}"
