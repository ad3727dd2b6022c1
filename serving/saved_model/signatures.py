"""The signatures of an exported few-shot model: names and shapes, defined here only.

The export, the evaluator, the validator, the server and the client import these names; the client
needs no TensorFlow for it. Shape letters: E episodes, S support examples, Q query examples, N ways,
then the shape of one example. Every tensor has a leading episode dimension, so that a server may
join the requests of several clients along it.

`serving_default` (adapt and predict)
    support_x  [E, S, ...example]   the modality's dtype (uint8 images, string texts, float32 audio)
    support_y  [E, S] int32         0..N-1; -1 marks padding, which changes no result
    query_x    [E, Q, ...example]
  -> probabilities [E, Q, N] float32  a class with no support example in that episode gets 0
     predictions   [E, Q] int32
     none_score    [E, Q] float32     0..1, higher for a query that is like none of the classes:
                                      the share of queries of the classes that score lower
     none_threshold [E] float32       above it "none of these" is recommended, the same for all E

`adapt_and_predict_encoded`
    support_x, query_x  [E, S], [E, Q] string   encoded images of any size, wav files, raw texts
    support_labels      [E, S] string           the empty string marks padding
  -> the outputs above, and class_names [E, N] string, predicted_labels [E, Q] string

`adapt`
    support_x, support_y -> the adapted weights, tensors named `adapted_*`, each [E, ...]
`predict`
    the outputs of `adapt`, and query_x -> the outputs of `serving_default`
`adaptation_path`
    as `serving_default` -> probabilities_per_step [E, steps + 1, Q, N], before and after each
    inner step (the evaluator's report shows them)

Over a pretrained encoder:
`encode`
    examples [n, ...example] -> features [n, D] float32, as they were before meta-training
`adapt_and_predict_features`, where these are costly, so that an evaluation encodes an example once
    as `serving_default`, with features in place of examples: support_x [E, S, D], query_x [E, Q, D]

Features, of all but transductive models; the loaded object itself is callable on examples, as
they are or prepared, with `variables` and `trainable_variables` (a reusable SavedModel)
`embed`
    examples [n, ...example] -> features [n, D] float32, of each example alone: normalised, where
    the network normalises by a support set, by the mean moments of meta-validation's support sets

A classifier that `fewshot specialise` wrote, adapted once, has a signature of its own:
`serving_default`
    files [n] string (texts [n] string) -> probabilities [n, N] float32, labels [n, N] string (the
    classes' names, the same for all n), predicted_labels [n] string

Models of earlier versions have neither `none_score` nor `none_threshold`.

A regression model (`"task": "regression"` in the metadata) learns float targets in place of
classes: `support_y` is [E, S, ...target] float32 without padding, the one output of
`serving_default` and `predict` is `targets` [E, Q, ...target] float32, that of `adaptation_path`
`targets_per_step` [E, steps + 1, Q, ...target], and `adapt_and_predict_encoded` is not offered.
Of images to images, where the network takes them of any size:
`adapt_and_predict_any_size`
    support_x [E, S, H, W, C] uint8, support_y [E, S, H, W, C] float32, query_x [E, Q, H', W', C]
    uint8 -> targets [E, Q, H', W', C] float32
"""

ADAPT_AND_PREDICT = "serving_default"
ENCODED = "adapt_and_predict_encoded"
ADAPT = "adapt"
PREDICT = "predict"
PATH = "adaptation_path"
ENCODE = "encode"
EMBED = "embed"
FROM_FEATURES = "adapt_and_predict_features"
ANY_SIZE = "adapt_and_predict_any_size"
# Not of a SavedModel: `fewshot serve` adds them, if asked, and keeps the adapted weights.
ADAPT_ON_SERVER = "adapt_on_server"
PREDICT_ON_SERVER = "predict_on_server"

SUPPORT_X = "support_x"
SUPPORT_Y = "support_y"
SUPPORT_LABELS = "support_labels"
QUERY_X = "query_x"
EXAMPLES = "examples"
FILES = "files"
TEXTS = "texts"
FEATURES = "features"

PROBABILITIES = "probabilities"
PREDICTIONS = "predictions"
CLASS_NAMES = "class_names"
LABELS = "labels"
PREDICTED_LABELS = "predicted_labels"
NONE_SCORE = "none_score"
NONE_THRESHOLD = "none_threshold"
PROBABILITIES_PER_STEP = "probabilities_per_step"
TARGETS = "targets"
TARGETS_PER_STEP = "targets_per_step"

ADAPTED_PREFIX = "adapted_"
ADAPTED_HANDLE = "adapted_handle"
LOST_HANDLE = f"`{ADAPTED_HANDLE}` must be one that the server keeps for"
"""How the refusal of a handle begins, by which a client knows that it must adapt again; REST has
the same status for other refusals."""

PADDING_LABEL = -1

# Files beside saved_model.pb. The metadata: modality, ways, learner, signatures left out and why.
METADATA_FILE = "assets.extra/fewshot_model.json"
WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
