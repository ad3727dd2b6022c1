"""The checks of a request, inside the exported graph: bad input is INVALID_ARGUMENT, never wrong.

TensorFlow Serving does not compare a request with the signature's shapes: whatever is fed reaches
the graph. So each check is an operation of the graph, with one sentence that names the input, the
rule and what came, and all that follows waits for it.
"""

from collections.abc import Sequence

import tensorflow as tf

from serving.saved_model import signatures as sig


def checked_support(
    x: tf.Tensor, y: tf.Tensor, *, example_shape: Sequence[int | None], ways: int | None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns support examples and labels as they are, or raises INVALID_ARGUMENT.

    Args:
      x: `support_x`, `[E, S, *example_shape]`.
      y: `support_y`, `[E, S]` int32.
      example_shape: of one example.
      ways: labels are 0..ways - 1, or -1 for padding.
    """
    x = checked_examples(sig.SUPPORT_X, x, example_shape)
    y = _checked_shape(sig.SUPPORT_Y, y, [None, None])
    with _requiring(_same(sig.SUPPORT_Y, y, sig.SUPPORT_X, x)):
        y = tf.identity(y)
    checks = [_labels_in_range(y, ways), _not_empty(sig.SUPPORT_Y, y >= 0)]
    if x.dtype == tf.string:
        checks.append(_no_empty_string(sig.SUPPORT_X, x, y >= 0))
    with _requiring(*checks):
        return tf.identity(x), tf.identity(y)


def checked_targets(
    x: tf.Tensor,
    y: tf.Tensor,
    *,
    example_shape: Sequence[int | None],
    target_shape: Sequence[int],
) -> tuple[tf.Tensor, tf.Tensor]:
    """As `checked_support` for regression: `support_y` `[E, S, *target_shape]` float32, S >= 1.

    There is no padding: every support example counts.
    """
    x = checked_examples(sig.SUPPORT_X, x, example_shape)
    y = checked_examples(sig.SUPPORT_Y, y, target_shape)
    with _requiring(_same(sig.SUPPORT_Y, y, sig.SUPPORT_X, x)):
        y = tf.identity(y)
    examples = sizes(y, 2)[1]
    rule = f"`{sig.SUPPORT_Y}` must have at least one example; got "
    with _requiring(_assert(examples > 0, rule, examples)):
        return tf.identity(x), tf.identity(y)


def checked_label_names(x: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """As `checked_support` for `support_x` and `support_labels`, both `[E, S]` string.

    The empty label marks padding; every other example must not be empty.
    """
    x = _checked_shape(sig.SUPPORT_X, x, [None, None])
    labels = _checked_shape(sig.SUPPORT_LABELS, labels, [None, None])
    with _requiring(_same(sig.SUPPORT_LABELS, labels, sig.SUPPORT_X, x)):
        labels = tf.identity(labels)
    real = tf.not_equal(labels, "")
    with _requiring(_not_empty(sig.SUPPORT_LABELS, real), _no_empty_string(sig.SUPPORT_X, x, real)):
        return tf.identity(x), tf.identity(labels)


def checked_encoded_queries(x: tf.Tensor, episodes: tf.Tensor) -> tf.Tensor:
    """`query_x` `[E, Q]` string, none empty, of as many episodes as the support set."""
    x = _checked_shape(sig.QUERY_X, x, [None, None])
    with _requiring(
        _same_episodes(sig.QUERY_X, x, episodes),
        _no_empty_string(sig.QUERY_X, x, tf.ones_like(x, tf.bool)),
    ):
        return tf.identity(x)


def checked_queries(
    x: tf.Tensor, episodes: tf.Tensor, *, example_shape: Sequence[int | None]
) -> tf.Tensor:
    """`query_x` `[E, Q, *example_shape]`, of as many episodes as the support set."""
    x = checked_examples(sig.QUERY_X, x, example_shape)
    checks = [_same_episodes(sig.QUERY_X, x, episodes)]
    if x.dtype == tf.string:
        checks.append(_no_empty_string(sig.QUERY_X, x, tf.ones_like(x, tf.bool)))
    with _requiring(*checks):
        return tf.identity(x)


def checked_examples(name: str, x: tf.Tensor, example_shape: Sequence[int | None]) -> tf.Tensor:
    """Checks the shape, and that a float input holds no NaN or infinity.

    A size of an example that varies must not be 0: a recording has at least one sample.
    """
    x = _checked_shape(name, x, [None, None, *example_shape])
    if None in example_shape:
        shortest = tf.reduce_min(tf.shape(x)[2:])
        rule = f"`{name}` must hold examples that are not empty; got a size of "
        with _requiring(_assert(shortest > 0, rule, shortest)):
            x = tf.identity(x)
    if not x.dtype.is_floating:
        return x
    finite = tf.reduce_all(tf.math.is_finite(tf.reshape(x, [-1])))
    with _requiring(_assert(finite, f"`{name}` must be finite; got a NaN or an infinity", "")):
        return tf.identity(x)


def check_way_count(counts: tf.Tensor, ways: int | None) -> list[tf.Operation]:
    """`counts` `[E]`: distinct labels of each episode, at most `ways`."""
    if ways is None:
        return []
    most = tf.reduce_max(counts)
    rule = f"`{sig.SUPPORT_LABELS}` must have at most {ways} different labels in an episode; got "
    return [_assert(most <= ways, rule, most)]


def requiring(checks: Sequence[tf.Operation], tensor: tf.Tensor) -> tf.Tensor:
    """`tensor`, once all checks have passed."""
    with tf.control_dependencies(list(checks)):
        return tf.identity(tensor)


def _requiring(*checks: tf.Operation):
    return tf.control_dependencies(list(checks))


def _assert(condition: tf.Tensor, rule: str, came: tf.Tensor | str) -> tf.Operation:
    came = came if isinstance(came, str) else tf.strings.as_string(came)
    return tf.debugging.Assert(condition, [tf.strings.join([rule, came, "."])])


def _checked_shape(name: str, x: tf.Tensor, shape: Sequence[int | None]) -> tf.Tensor:
    # The signature's static shape would let TensorFlow prove the check and drop it, but a server
    # feeds what it is sent.
    x = _opaque(x, None)
    wanted = tf.constant([-1 if size is None else size for size in shape])
    fits = tf.reduce_all((wanted == -1) | (sizes(x, len(shape)) == wanted))
    letters = "ES" if name.startswith("support") else "EQ"
    form = [*letters, *("any" if size is None else str(size) for size in shape[2:])]
    rule = f"`{name}` must have shape [{', '.join(form)}]; got "
    with _requiring(_assert(fits & (tf.rank(x) == len(shape)), rule, _text(tf.shape(x)))):
        return _opaque(x, shape)


def _opaque(x: tf.Tensor, shape: Sequence[int | None] | None) -> tf.Tensor:
    """`x`, with `shape` as its static shape.

    Grappler does not see through an optional, as it does through Identity and
    PlaceholderWithDefault: it neither knows the shape of what comes out nor moves operations from
    behind it to before the checks that it waits for.
    """
    boxed = tf.raw_ops.OptionalFromValue(components=[x])
    return tf.raw_ops.OptionalGetValue(
        optional=boxed, output_types=[x.dtype], output_shapes=[tf.TensorShape(shape)]
    )[0]


def sizes(x: tf.Tensor, count: int) -> tf.Tensor:
    """The first `count` sizes of `x` of any rank, -1 where it has fewer dimensions.

    Grappler computes shapes before the checks that they are guarded by, so no slice of a shape
    may fail.
    """
    return tf.concat([tf.shape(x), tf.fill([count], -1)], axis=0)[:count]


def _same(name: str, x: tf.Tensor, other: str, y: tf.Tensor) -> tf.Operation:
    have, want = sizes(x, 2), sizes(y, 2)
    came = tf.strings.join([_text(want), "; got ", _text(have)])
    rule = f"`{name}` must have the first two sizes of `{other}`, "
    return _assert(tf.reduce_all(tf.equal(have, want)), rule, came)


def _same_episodes(name: str, x: tf.Tensor, episodes: tf.Tensor) -> tf.Operation:
    have = sizes(x, 1)[0]
    came = tf.strings.join([_text(episodes), "; got ", _text(have)])
    rule = f"`{name}` must have as many episodes as the support set, "
    return _assert(tf.equal(have, episodes), rule, came)


def _text(numbers: tf.Tensor) -> tf.Tensor:
    text = tf.strings.as_string(numbers)
    if numbers.shape.rank == 0:
        return text
    return tf.strings.join(["[", tf.strings.reduce_join(text, separator=", "), "]"])


def _labels_in_range(y: tf.Tensor, ways: int | None) -> tf.Operation:
    top = (ways or tf.int32.max) - 1
    wrong = tf.boolean_mask(y, (y < sig.PADDING_LABEL) | (y > top))
    rule = f"`{sig.SUPPORT_Y}` must be 0 to {top}, or {sig.PADDING_LABEL} for padding; got "
    # A label that is not there stands in where none is wrong: the message is built in any case.
    return _assert(tf.equal(tf.size(wrong), 0), rule, tf.concat([wrong, [0]], axis=0)[0])


def _not_empty(name: str, real: tf.Tensor) -> tf.Operation:
    smallest = tf.reduce_min(tf.reduce_sum(tf.cast(real, tf.int32), axis=1))
    rule = (
        f"`{name}` must have at least one labelled example in every episode; got an episode with "
    )
    return _assert(smallest > 0, rule, smallest)


def _no_empty_string(name: str, x: tf.Tensor, real: tf.Tensor) -> tf.Operation:
    # Blanks alone are no text either; no encoded file consists of them.
    missing = tf.reduce_sum(tf.cast(real & tf.equal(tf.strings.strip(x), ""), tf.int32))
    rule = f"`{name}` must hold no empty string; got this many: "
    return _assert(tf.equal(missing, 0), rule, missing)
