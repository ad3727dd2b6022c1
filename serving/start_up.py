"""Starting a process that serves in half the time."""

import sys

# TensorFlow imports these if they are there (for tf.keras, and to find Google's cluster). They are
# half of its two to four seconds, and a SavedModel in a session needs neither.
_UNUSED = ("keras", "googleapiclient")


def skip_unused_imports() -> None:
    """Makes TensorFlow find neither; to be called before it is imported, by a program's `main`.

    For the whole process: not for a library, nor where Keras is wanted.
    """
    for name in _UNUSED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # import then fails at once
