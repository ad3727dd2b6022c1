"""FewShotEvaluator: judges a model on unseen classes and blesses it, or says why not.

`evaluate` asks the model about every test episode (Beam), `scoring` keeps what each tells,
`summary` says what that is worth, `blessing` decides, `report` shows it; what only classifiers or
only regressions have lies in the folder of each, and `judging` chooses. Only `component` and
`executor` know TFX.
"""
