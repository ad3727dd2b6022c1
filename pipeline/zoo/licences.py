"""Under which licence data are, and whether models trained on them may be published."""

import re

from serving.errors import UserError

LICENCES = {
    "glyphs": "MIT",
    "omniglot": "MIT",
    "clinc_oos": "CC-BY-3.0",
    "spoken_digit": "CC-BY-SA-4.0",
    "cmaterdb": "non-commercial use",
}
"""Licence of each data set that the shipped configurations name, by its name there."""
NON_COMMERCIAL = re.compile(r"\bnc\b|non-?\s?commercial|research (use )?only", re.IGNORECASE)


def licence_of(dataset: str, given: str | None) -> str:
    """The licence of a data set: as known, or as `given` by `--data-licence` where it is not.

    Raises:
      UserError: it is not known, or does not allow commercial use.
    """
    known = LICENCES.get(dataset)
    if known and given and known != given:
        raise UserError(f"`--data-licence` of {dataset} is known to be {known}: got {given}.")
    licence = known or given
    if not licence:
        raise UserError(
            f"`--data-licence` must be given: the licence of {dataset!r} is not known. Name it as "
            "an SPDX identifier, such as CC-BY-4.0."
        )
    if NON_COMMERCIAL.search(licence):
        raise UserError(
            f"A model is published only if its data allow commercial use: {dataset} is licensed "
            f"for {licence}. Keep it for yourself, by the path of its folder."
        )
    return licence
