"""A hash of the code that a step runs: TFX's cache sees parameters and inputs, not code."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = ("components/episodes", "components/modalities", "serving/errors.py")


def code_version(*parts: str) -> str:
    """The hash of the source files of `parts` and of what all steps share.

    Args:
      parts: folders or files below the project's root, as "components/episode_gen", or files
        elsewhere by their absolute path.
    """
    digest = hashlib.sha256()
    for part in sorted({*parts, *SHARED}):
        path = ROOT / part
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        for file in files:
            if file.is_file() and file.suffix in (".py", ".html"):
                name = file.relative_to(ROOT) if file.is_relative_to(ROOT) else Path(file.name)
                digest.update(name.as_posix().encode() + b"\0")
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
