"""Halves the time that importing TensorFlow takes in a process that only serves."""

import sys

# TensorFlow imports these if they are installed (for tf.keras, and to find Google's cluster). They
# take half of its two to four seconds, and a SavedModel in a session needs neither.
_UNUSED = ("keras", "googleapiclient")


def skip_unused_imports() -> None:
    """Hides both from TensorFlow; a program's `main` calls it before TensorFlow is imported.

    It holds for the whole process, so a library must not call it, nor a program that uses Keras.
    """
    for name in _UNUSED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # import then fails at once
