"""How thorough a check is: the examples that Hypothesis draws of a property."""

PROFILES = {"glance": 3, "quick": 10, "default": 60, "thorough": 1000}
EXPLAINED = "3, 10, 60 (default) or 1,000 examples a property"
