"""Defaults of a check: examples per property, time limits, images of an audit."""

PROFILES = {"glance": 3, "quick": 10, "default": 60, "thorough": 1000}
EXPLAINED = "3, 10, 60 (default) or 1,000 examples per property"

SECONDS = 600  # for a clause; the reference's longest takes a tenth of that on two busy cores
IMPORTING = 600  # seconds that an import may take, even on a busy machine
IMAGES = 48  # images that an audit takes from each subset
