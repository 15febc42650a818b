"""The names of the contract's stages, which a command line is checked against before anything else is imported."""

from collections.abc import Collection

PARTS = {  # {name: the stages that it stands for}, in the order of the pipeline
    "environment": ("environment",),
    "data": ("data",),
    "layers": ("layers",),
    "augmentation": ("augmentation",),
    "transfer": ("base", "features", "convnet", "training", "tuning"),
}
STAGES = tuple(stage for parts in PARTS.values() for stage in parts)
NAMES = tuple(dict.fromkeys((*STAGES, *PARTS)))  # the names that a command line and CLAIMS may use
OWN = ("base", "head", "optimizer")  # the parts of the notes' model that an adapter may replace
PIPELINE = "pipeline"  # what a clause is tied to if only a pipeline can be checked
OFFERED_BY_MOST = STAGES[1:]  # only implementations with several backends select one


def whole(stage: str) -> str:
    """The name for a stage and those that it is tried with, because their functions share a model."""
    return next(name for name, parts in PARTS.items() if stage in parts)


def parts(name: str) -> tuple[str, ...]:
    """The stages that a name stands for."""
    return PARTS.get(name, (name,))


def names_stage(names: Collection[str] | None, stage: str) -> bool:
    """Whether these names include a stage, alone or in a group; an empty selection means all."""
    return names is None or stage in names or whole(stage) in names
