"""Many queries answered a piece at a time, so that memory does not grow with their number."""

from collections.abc import Callable

import tensorflow as tf

from components.meta_trainer.export.one_episode import apart

Outputs = dict[str, tf.Tensor]

QUERY_PIECE = 128
"""Most queries of an episode that are decoded and predicted together."""


def in_pieces(
    answer: Callable[[tf.Tensor, tf.Tensor], Outputs], count: tf.Tensor, size: int = QUERY_PIECE
) -> Outputs:
    """Answers `count` queries, an int32 scalar, at most `size` at a time.

    `answer(start, stop)` gives outputs `[E, stop - start, ...]` by name, each row of which depends
    on its own query alone. Up to `size` queries are answered without a loop.
    """
    form: dict[str, tf.TensorSpec] = {}

    def at_once() -> Outputs:
        outputs = answer(tf.constant(0), count)
        form.update({name: tf.TensorSpec.from_tensor(t) for name, t in outputs.items()})
        return outputs

    def one_by_one() -> Outputs:
        # Pieces of one width: the last begins earlier than it need, if `count` is no multiple.
        width = -(-count // -(-count // size))
        starts = tf.minimum(tf.range(0, count, width), count - width)
        pieces = tf.map_fn(
            lambda start: answer(start, start + width),
            starts,
            parallel_iterations=1,
            fn_output_signature=form,
        )
        return {name: joined(piece, width) for name, piece in pieces.items()}

    def joined(pieces: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
        """`[P, E, width, ...]` to `[E, count, ...]`."""
        rank = pieces.shape.rank
        by_episode = tf.transpose(pieces, [1, 0, *range(2, rank)])
        shape = tf.shape(by_episode)
        rows = tf.reshape(by_episode, tf.concat([shape[:1], [-1], shape[3:]], axis=0))
        return tf.concat([rows[:, : count - width], rows[:, -width:]], axis=1)

    return tf.cond(count <= size, at_once, apart(one_by_one))
