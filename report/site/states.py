"""Names of the states of a plan's steps, and of the verdicts of a reproduction."""

FOUND, STALE, NEW, WAITS = "found", "stale", "new", "waits"  # see `report.site.plan.Step`
SAME_BYTES, SAME_VALUES, NEAR, DIFFERENT = "bytes same", "samples same", "near", "different"
