"""Sites after they are built: shown to others, kept, compared, cleaned up, and changed by readers.

Read `publish.py` first: a site goes to a folder or a bucket, and `browser_access.py` checks that
readers can play what is there. `archive.py` writes a site to one zip file. `diff.py` compares two
sites. `garbage.py` deletes what no site uses any more. `edit.py` makes the sound of an edit that a
reader exported from a page.
"""
