"""Articles while they are written: built at every edit, and shown as they are now.

Read `reads.py` first: the files that a build reads, so that an edit builds what it touches.
`watch.py` hears of edits, `preview.py` builds again and again, each time in a fresh copy of the
process, and `server.py` shows the site, with a script in its pages that takes what is new.
"""
