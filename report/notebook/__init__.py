"""Articles as notebooks: they open in Jupyter by jupytext, and run there with the keys of a build.

Read `kernel.py` first: cells of a kernel as the source of its functions. `shown.py` shows
components and artifacts below cells, and `execute.py` writes a notebook with all that it shows.
"""
