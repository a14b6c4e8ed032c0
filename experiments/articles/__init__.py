"""The articles: scripts that `experiments/build.py` runs cell by cell, and that nothing imports.

`music` is the main one, `speech` has the same sections with another model, `ablations` is about
what was tried, and `listening` has clips by every method side by side. Pages and build records are
named after these files.
"""
