"""Articles become a site, which can be planned, checked and found again.

Read `build.py` first: articles run, and their files are written. `isolation.py` keeps articles
apart, each in a copy of the process; `target.py` replaces the folder as a whole, and `kept.py`
brings along the articles in it that were not built now. `manifest.py` (the files of a
site, and how they were made) and `crate.py` (the same for machines) write its provenance. `plan.py`
says what a build would do and why; `reproduce.py` computes stored artifacts again. `release.py` has
the form that a site takes when it is published. `locate.py` opens a site in either form, wherever
it is, and `verify.py` checks it by its manifest, as `selfcheck.py` does in an archive, where it has
Python and nothing else.
"""
