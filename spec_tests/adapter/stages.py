"""The stages of the contract, by name: what a command line is checked against before anything else is imported."""

STAGES = ("environment", "data", "layers", "augmentation", "transfer")  # in the order of the pipeline
OFFERED_BY_MOST = STAGES[1:]  # choosing a backend is for implementations that run on several
