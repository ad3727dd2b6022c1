"""What a process that only serves settles before TensorFlow is imported."""

import os
import sys

# TensorFlow imports these if they are installed (for tf.keras, and to find Google's cluster). They
# take half of its two to four seconds, and a SavedModel in a session needs neither.
_UNUSED = ("keras", "googleapiclient")


def skip_unused_imports() -> None:
    """Halves the time that importing TensorFlow takes; a program's `main` calls it before that.

    It holds for the whole process, so a library must not call it, nor a program that uses Keras.
    """
    for name in _UNUSED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # import then fails at once


def give_each_session_its_threads() -> None:
    """Lets the sessions of this process differ in their threads; before the first session.

    Otherwise TensorFlow gives all of them those of the first.
    """
    os.environ.setdefault("TF_OVERRIDE_GLOBAL_THREADPOOL", "1")
