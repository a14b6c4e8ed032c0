"""The main job: `python build_site.py` builds the articles into `site/`. See `--help`."""

import sys

from experiments.build import main

if __name__ == "__main__":
    sys.exit(main())
