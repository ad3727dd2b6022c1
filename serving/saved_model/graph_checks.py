"""Checks of a request inside the exported graph: bad input gives INVALID_ARGUMENT, never an answer.

TensorFlow Serving does not compare a request with the signature's shapes: whatever is fed reaches
the graph. So each check is an operation of the graph, with one sentence that names the input, the
rule and the value, and the operations after it depend on it.
"""

from collections.abc import Sequence

import tensorflow as tf

from serving.saved_model import signatures as sig


def check_support(
    x: tf.Tensor, y: tf.Tensor, *, example_shape: Sequence[int | None], ways: int | None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Checks support examples and labels: returns both unchanged, or raises INVALID_ARGUMENT.

    `support_x` is `[E, S, *example_shape]`, None where a size varies; `support_y` is `[E, S]`
    int32: 0..ways - 1 (any number if `ways` is None), or -1 for padding.
    """
    x = check_examples(sig.SUPPORT_X, x, example_shape)
    y = _check_shape(sig.SUPPORT_Y, y, [None, None])
    y = require([_same(sig.SUPPORT_Y, y, sig.SUPPORT_X, x)], y)
    checks = [_labels_in_range(y, ways), _not_empty(sig.SUPPORT_Y, y >= 0)]
    if x.dtype == tf.string:
        checks.append(_no_empty_string(sig.SUPPORT_X, x, y >= 0))
    with _require(*checks):
        return tf.identity(x), tf.identity(y)


def check_targets(
    x: tf.Tensor,
    y: tf.Tensor,
    *,
    example_shape: Sequence[int | None],
    target_shape: Sequence[int | None],
) -> tuple[tf.Tensor, tf.Tensor]:
    """Checks a regression support set: `support_y` is `[E, S, *target_shape]` float32, S >= 1.

    There is no padding: every support example counts.
    """
    x = check_examples(sig.SUPPORT_X, x, example_shape)
    y = check_examples(sig.SUPPORT_Y, y, target_shape)
    y = require([_same(sig.SUPPORT_Y, y, sig.SUPPORT_X, x)], y)
    examples = sizes(y, 2)[1]
    rule = f"`{sig.SUPPORT_Y}` must have at least one example; got "
    with _require(_assert(examples > 0, rule, examples)):
        return tf.identity(x), tf.identity(y)


def check_phrases(
    x: tf.Tensor, y: tf.Tensor, *, example_shape: Sequence[int | None]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Checks a support set of texts and phrases, `[E, S]` strings; "" in `support_y` is padding."""
    x = check_examples(sig.SUPPORT_X, x, example_shape)
    y = _check_shape(sig.SUPPORT_Y, y, [None, None])
    y = require([_same(sig.SUPPORT_Y, y, sig.SUPPORT_X, x)], y)
    real = tf.not_equal(y, "")
    with _require(_not_empty(sig.SUPPORT_Y, real), _no_empty_string(sig.SUPPORT_X, x, real)):
        return tf.identity(x), tf.identity(y)


def check_label_names(x: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Checks an encoded support set: `support_x` and `support_labels` are `[E, S]` strings.

    The empty label marks padding; every other example must not be empty.
    """
    x = _check_shape(sig.SUPPORT_X, x, [None, None])
    labels = _check_shape(sig.SUPPORT_LABELS, labels, [None, None])
    labels = require([_same(sig.SUPPORT_LABELS, labels, sig.SUPPORT_X, x)], labels)
    real = tf.not_equal(labels, "")
    with _require(_not_empty(sig.SUPPORT_LABELS, real), _no_empty_string(sig.SUPPORT_X, x, real)):
        return tf.identity(x), tf.identity(labels)


def check_encoded_queries(x: tf.Tensor, episodes: tf.Tensor) -> tf.Tensor:
    """Checks that `query_x` is `[E, Q]` strings, none empty, with the support set's `episodes`."""
    return check_queries(x, episodes, example_shape=())


def check_queries(
    x: tf.Tensor, episodes: tf.Tensor, *, example_shape: Sequence[int | None]
) -> tf.Tensor:
    """Checks that `query_x` is `[E, Q, *example_shape]`, with the support set's `episodes`."""
    x = check_examples(sig.QUERY_X, x, example_shape)
    checks = [_same_episodes(sig.QUERY_X, x, episodes)]
    if x.dtype == tf.string:
        checks.append(_no_empty_string(sig.QUERY_X, x, tf.ones_like(x, tf.bool)))
    return require(checks, x)


def check_examples(name: str, x: tf.Tensor, example_shape: Sequence[int | None]) -> tf.Tensor:
    """Checks the shape of examples, and that a float input holds no NaN or infinity.

    A size of an example that varies must not be 0: a recording has at least one sample.
    """
    x = _check_shape(name, x, [None, None, *example_shape])
    if None in example_shape:
        shortest = tf.reduce_min(tf.shape(x)[2:])
        rule = f"`{name}` must hold examples that are not empty; got a size of "
        x = require([_assert(shortest > 0, rule, shortest)], x)
    if not x.dtype.is_floating:
        return x
    finite = tf.reduce_all(tf.math.is_finite(tf.reshape(x, [-1])))
    return require([_assert(finite, f"`{name}` must be finite; got a NaN or an infinity", "")], x)


def check_way_count(counts: tf.Tensor, ways: int | None) -> list[tf.Operation]:
    """The check that `counts` `[E]`, distinct labels of each episode, are at most `ways`."""
    if ways is None:
        return []
    largest = tf.reduce_max(counts)
    rule = f"`{sig.SUPPORT_LABELS}` must have at most {ways} different labels in an episode; got "
    return [_assert(largest <= ways, rule, largest)]


def same_shape(y: tf.Tensor, x: tf.Tensor) -> tf.Operation:
    """The check that the targets of a support set are images of the size of its examples."""
    rule = tf.strings.join(
        [f"`{sig.SUPPORT_Y}` must have the shape of `{sig.SUPPORT_X}`, ", _text(tf.shape(x))]
    )
    equal = tf.reduce_all(sizes(y, 5) == sizes(x, 5))
    return _assert(equal, tf.strings.join([rule, "; got "]), _text(tf.shape(y)))


def require(checks: Sequence[tf.Operation], tensor: tf.Tensor) -> tf.Tensor:
    """Returns `tensor` once all checks have passed."""
    with tf.control_dependencies(list(checks)):
        return tf.identity(tensor)


def _require(*checks: tf.Operation):
    return tf.control_dependencies(list(checks))


def _assert(condition: tf.Tensor, rule: str, value: tf.Tensor | str) -> tf.Operation:
    value = value if isinstance(value, str) else tf.strings.as_string(value)
    return tf.debugging.Assert(condition, [tf.strings.join([rule, value, "."])])


def _check_shape(name: str, x: tf.Tensor, shape: Sequence[int | None]) -> tf.Tensor:
    # The signature's static shape would let TensorFlow prove the check and drop it, but a server
    # feeds what it is sent.
    x = _opaque(x, None)
    expected = tf.constant([-1 if size is None else size for size in shape])
    fits = tf.reduce_all((expected == -1) | (sizes(x, len(shape)) == expected))
    letters = "ES" if name.startswith("support") else "EQ"
    form = [*letters, *("any" if size is None else str(size) for size in shape[2:])]
    rule = f"`{name}` must have shape [{', '.join(form)}]; got "
    with _require(_assert(fits & (tf.rank(x) == len(shape)), rule, _text(tf.shape(x)))):
        return _opaque(x, shape)


def _opaque(x: tf.Tensor, shape: Sequence[int | None] | None) -> tf.Tensor:
    """`x`, with `shape` as its static shape.

    Grappler does not optimise across an optional, as it does across Identity and
    PlaceholderWithDefault: it neither infers the output's shape nor moves operations that follow
    the optional to before the checks that it depends on.
    """
    boxed = tf.raw_ops.OptionalFromValue(components=[x])
    return tf.raw_ops.OptionalGetValue(
        optional=boxed, output_types=[x.dtype], output_shapes=[tf.TensorShape(shape)]
    )[0]


def sizes(x: tf.Tensor, count: int) -> tf.Tensor:
    """The first `count` sizes of `x` of any rank, -1 where it has fewer dimensions.

    Grappler evaluates shapes before the checks that guard them, so no slice of a shape may fail.
    """
    return tf.concat([tf.shape(x), tf.fill([count], -1)], axis=0)[:count]


def _same(name: str, x: tf.Tensor, other: str, y: tf.Tensor) -> tf.Operation:
    have, want = sizes(x, 2), sizes(y, 2)
    values = tf.strings.join([_text(want), "; got ", _text(have)])
    rule = f"`{name}` must have the first two sizes of `{other}`, "
    return _assert(tf.reduce_all(tf.equal(have, want)), rule, values)


def _same_episodes(name: str, x: tf.Tensor, episodes: tf.Tensor) -> tf.Operation:
    have = sizes(x, 1)[0]
    values = tf.strings.join([_text(episodes), "; got ", _text(have)])
    rule = f"`{name}` must have as many episodes as the support set, "
    return _assert(tf.equal(have, episodes), rule, values)


def _text(numbers: tf.Tensor) -> tf.Tensor:
    text = tf.strings.as_string(numbers)
    if numbers.shape.rank == 0:
        return text
    return tf.strings.join(["[", tf.strings.reduce_join(text, separator=", "), "]"])


def _labels_in_range(y: tf.Tensor, ways: int | None) -> tf.Operation:
    top = (ways or tf.int32.max) - 1
    wrong = tf.boolean_mask(y, (y < sig.PADDING_LABEL) | (y > top))
    rule = f"`{sig.SUPPORT_Y}` must be 0 to {top}, or {sig.PADDING_LABEL} for padding; got "
    # The message is built in any case: the appended 0 is its value where no label is wrong.
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
