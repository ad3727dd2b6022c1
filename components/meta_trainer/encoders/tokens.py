"""From raw texts of any shape to token ids of one length."""

import tensorflow as tf

from components.meta_trainer.encoders.wordpiece import WordPiece


def token_ids(tokenizer: WordPiece, texts: tf.Tensor, max_tokens: int) -> tf.Tensor:
    """Ids `[n, max_tokens]` int32 of texts `[n]`; 0 after the last."""
    return tokenizer(texts).to_tensor(0, shape=[None, max_tokens])


def framed_ids(
    tokenizer: WordPiece, texts: tf.Tensor, max_tokens: int, first: int, last: int
) -> tf.Tensor:
    """Ids `[n, longest]` of texts `[n]` between `first` ([CLS]) and `last` ([SEP])."""
    ids = tokenizer(texts)[:, : max_tokens - 2]
    end = tf.ones([tf.shape(texts)[0], 1], tf.int32)
    return tf.concat([first * end, ids, last * end], axis=1).to_tensor(0)
