"""How a codec learns. Read in this order:

- `pool`: the material of a step: residuals at all depths, and scenes
- `losses`: the loss of one greedy step
- `discriminator`: an adversarial loss, real against generated
- `learner`: a codec with its losses, one step
- `trainer`: the run: optimisers, checkpoints, going on, several processes
- `fit_priors`: tables for `.events` files, from a trained codec and its training works
"""
