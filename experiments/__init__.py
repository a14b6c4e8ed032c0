"""The experiments: articles, and everything that makes them.

In reading order: `scores` (notes), `clips` (the recordings), `stored_figures` (measurements),
`lazy_codec` (a model without PyTorch), `inputs` (the model, clips and figures of an article),
`build` (the main job); then the folders `articles`, `sections` (the parts of an article),
`measurements` and `corpora`. `clips/` and `configs/` hold data.
"""
