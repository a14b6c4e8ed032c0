"""Articles become a site, which can be planned, checked and found again.

Read `build.py` first: articles run, their files are written, and the folder is replaced as a whole.
`isolation.py` keeps articles apart, each in a copy of the process. `manifest.py` (the files of a
site, and how they were made) and `crate.py` (the same for machines) write its provenance. `plan.py`
says what a build would do and why; `reproduce.py` computes stored artifacts again. `release.py` has
the form that a site takes when it is published. `locate.py` opens a site in either form, wherever
it is, and `verify.py` checks it by its manifest, as `selfcheck.py` does in an archive, where it has
Python and nothing else.
"""
