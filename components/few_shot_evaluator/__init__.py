"""FewShotEvaluator: evaluates a model on unseen classes and blesses it, or says why not.

`evaluate` runs the model on every test episode (Beam), `scoring` makes the result of each,
`summary` turns the results into metrics, `blessing` decides, `report` shows it. What only
classifiers or only regressions have is in the folder of each, and `task_evaluation` chooses. Only
`component` and `executor` know TFX.
"""
