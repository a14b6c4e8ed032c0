"""The command line: a file for each kind of command, with options beside actions.

- `options`, `jobs`, `messages`: shared by commands
- `sound`: encode, decode
- `events`: info, render, perturb, randomise, morph
- `data`: data, prepare
- `model`: train, freeze, evaluate, words, priors
"""
