"""A key names what the result of a call depends on: code, arguments, globals, libraries, device.

Read `libraries.py` (versions of what is installed), `scopes.py` and `source.py` (the project's
modules, and what their global names lead to), `results.py` (the code around results, registered by
`report.artifacts`), `names.py` (locals), `syntax.py` (statements in one form), `state.py` (the
attributes and slots of an object), `values.py` (JSON for values), and `dependencies.py`: all code
that a call can use. `report.artifacts.session` puts the key together.
"""
