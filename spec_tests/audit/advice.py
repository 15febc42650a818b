"""What a finding costs, where it is in the author's code, and the lines that fix it in the author's framework."""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .pipeline import Pipeline

WHERE = {  # {clause or family: the argument of ``Pipeline`` whose function is at fault}
    "FRZ": "train_epoch",
    "TUNE": "unfreeze",
    "TRAIN-1": "validate",
    "TRAIN-7": "validate",
    "TRAIN-9": "train_epoch",
    "TRAIN-19": "train_epoch",
    "TRAIN-20": "best",
    "TRAIN-21": "reload",
    "HEAD-5": "predictions",
    "FEAT": "features",
    "PRE": "load",
    "LOAD-18": "load",
}
COST = {
    "FRZ-2": "The head is trained on features that keep changing: a few points of accuracy.",
    "FRZ-3": "The head is trained on features that the base does not produce in inference: a few points of accuracy.",
    "TUNE-2": "Fine-tuning changes nothing, or not what was intended.",
    "TUNE-3": "The statistics of a few images replace those of the pretraining. Excuse this if it is intended.",
    "TRAIN-1": "The numbers by which epochs and models are chosen are wrong.",
    "TRAIN-7": "The model is partly trained on validation images, and each validation changes it.",
    "TRAIN-18": "Variables that no optimizer has keep their initial random values.",
    "TRAIN-19": "Training without dropout overfits; validation under dropout is noise.",
    "TRAIN-20": "The reported and deployed model is not the one that was chosen.",
    "FEAT-1": "The head is trained on features that the model does not have.",
    "FEAT-2": "The features of an image depend on the other images of its batch: the head is trained on noise.",
    "FEAT-3": "The head is trained on wrong labels: most of the accuracy.",
    "TRAIN-6": "Two runs cannot be compared: a difference may be chance.",
    "HEAD-4": "Training stalls early, and probabilities stay near the middle.",
    "PRE-3": "The base sees images unlike those of its pretraining: from one point to most of the accuracy.",
    "AUG-13": "Validation is noise, and two epochs cannot be compared.",
    "AUG-14": "Augmentation does nothing after the first epoch: the model overfits as if there were none.",
    "SUB-11": "Validation is too optimistic: the accuracy on new images is lower.",
    "BASE-5": "There is no transfer: the head is trained on random features.",
    "LOAD-17": "The accuracy is reported for the other class.",
    "LOAD-18": "The model learns from wrong labels: most of the accuracy.",
    "TRAIN-21": "The deployed model is not the one that was trained.",
}
TORCH, KERAS = "PyTorch", "Keras"
INFERENCE = (
    "model.train()\nfor module in base.modules():  # after each model.train(); base: all but the head\n"
    "    if isinstance(module, nn.BatchNorm2d):\n        module.eval()"
)
REACHES = "base.trainable = True\nbase.trainable = False  # so that it reaches every layer\nmodel.compile(...)"
FIX = {
    ("FRZ-2", TORCH): INFERENCE,
    ("FRZ-3", TORCH): INFERENCE,
    ("TUNE-3", TORCH): INFERENCE,
    (
        "FRZ-2",
        KERAS,
    ): "base.trainable = True\nbase.trainable = False  # reaches every layer\nmodel.compile(...)",
    ("FRZ-3", KERAS): REACHES,
    ("TUNE-2", TORCH): "parameter.requires_grad = True  # of the layers that are meant\n"
    "optimizer = Adam((p for p in model.parameters() if p.requires_grad), lr=1e-5)",
    (
        "TUNE-2",
        KERAS,
    ): "base.trainable = True\nfor layer in base.layers[:-4]:\n    layer.trainable = False\nmodel.compile(...)",
    ("TUNE-3", KERAS): "for layer in base.layers:\n    if isinstance(layer, keras.layers.BatchNormalization):\n"
    "        layer.trainable = False\nmodel.compile(...)",
    ("TRAIN-1", TORCH): "total += criterion(outputs, labels).item() * len(labels)\n...\nreturn total / len(dataset)",
    (
        "TRAIN-1",
        KERAS,
    ): "metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)]  # over logits\nmodel.evaluate(validation)  # all of it",
    ("TRAIN-7", TORCH): "model.eval()\nwith torch.no_grad():\n    ...",
    (
        "TRAIN-18",
        TORCH,
    ): "model.fc = nn.Linear(...)  # first\noptimizer = Adam(p for p in model.parameters() if p.requires_grad)",
    ("TRAIN-18", KERAS): "model.compile(...)  # after what is trainable was changed",
    (
        "TRAIN-19",
        TORCH,
    ): "model.train()  # at the beginning of each epoch\nmodel.eval()  # at the beginning of each validation",
    ("TRAIN-20", TORCH): "best = copy.deepcopy(model.state_dict())",
    (
        "TRAIN-20",
        KERAS,
    ): "keras.callbacks.ModelCheckpoint(path, save_best_only=True)\nmodel = keras.models.load_model(path)",
    ("TRAIN-21", TORCH): "model.load_state_dict(torch.load(path, weights_only=True))  # without strict=False",
    ("TRAIN-21", KERAS): "model.save(path)\nmodel = keras.models.load_model(path)",
    ("LOAD-18", TORCH): "samples = sorted((path, label_of(path)) for path in paths)  # in pairs",
    ("LOAD-18", KERAS): 'image_dataset_from_directory(folder, labels="inferred")',
    ("HEAD-4", TORCH): "return self.fc(x)  # CrossEntropyLoss and BCEWithLogitsLoss take logits",
    (
        "HEAD-4",
        KERAS,
    ): 'keras.layers.Dense(1, activation="sigmoid")  # and from_logits=False, or no activation and True',
    ("PRE-3", TORCH): "transforms.ToTensor(), transforms.Normalize(mean, std)  # of the weights: weights.transforms()",
    ("PRE-3", KERAS): "x = preprocess_input(x)  # of the base's own module, once, in the model or in the data",
    ("AUG-13", TORCH): "validation = ImageFolder(root, transform=plain)  # a separate data set, split by index",
    ("AUG-13", KERAS): "train = train.map(augment)  # after validation was split off",
    (
        "AUG-14",
        TORCH,
    ): "def __getitem__(self, i):\n    return self.augment(self.image(i))  # keep the image, not the result",
    (
        "AUG-14",
        KERAS,
    ): "batches.cache().map(augment)  # not the other way round; no global seed before random operations",
    ("SUB-11", TORCH): "train, validation = random_split(dataset, lengths, generator=torch.Generator().manual_seed(0))",
    ("BASE-5", TORCH): 'model = resnet18(weights="DEFAULT")',
    ("BASE-5", KERAS): 'base = Xception(weights="imagenet", include_top=False)',
    ("TRAIN-9", TORCH): "for images, labels in batches:  # one pass, one step for each batch",
    ("FEAT-2", TORCH): "model.eval()\nwith torch.no_grad():\n    ...",
    ("FEAT-2", KERAS): "features = base.predict(images)  # or base(images, training=False)",
    ("FEAT-3", TORCH): "for images, labels in batches:  # in one pass\n    pairs.append((features(images), labels))",
    ("FEAT-3", KERAS): "pairs = [(base.predict_on_batch(x), y) for x, y in batches]  # in one pass",
    ("TRAIN-6", TORCH): "random.seed(0)\nnumpy.random.seed(0)\ntorch.manual_seed(0)",
    ("TRAIN-6", KERAS): "keras.utils.set_random_seed(0)  # first of all",
    ("HEAD-5", KERAS): "pairs = [(model.predict_on_batch(x), y) for x, y in validation]  # in one pass",
    ("HEAD-5", TORCH): "for images, labels in validation:  # in one pass\n    pairs.append((model(images), labels))",
}


def cost_of(clause: str) -> str:
    """The cost of a finding in one sentence; an empty string if it is not known."""
    return COST.get(clause, "")


def fix_of(clause: str, framework: str) -> str:
    """The lines that fix a finding; an empty string if the fix depends on the pipeline."""
    return FIX.get((clause, framework), "")


def place_of(clause: str, made: Pipeline) -> str:
    """File and line of the author's function at fault; an empty string if unknown."""
    name = WHERE.get(clause) or WHERE.get(clause.rpartition("-")[0], "")
    function = getattr(made, name, None) if name else None
    if not callable(function):
        return ""
    target = next(_called(function), function)
    try:
        file, line = inspect.getsourcefile(target), inspect.getsourcelines(target)[1]
    except (OSError, TypeError):
        return ""
    return f"{Path(str(file)).name}:{line}, {getattr(target, '__qualname__', name)}"


def _called(function: Callable[..., Any]) -> Iterator[Any]:
    """The functions that a lambda calls, such as ``lambda batches: mine.train(model, batches)``."""
    code = getattr(function, "__code__", None)
    if code is None or function.__name__ != "<lambda>":
        return
    space = dict(inspect.getclosurevars(function).globals) | dict(inspect.getclosurevars(function).nonlocals)
    for owner in space.values():
        if inspect.isfunction(owner):
            yield owner
        for name in code.co_names:
            found = getattr(owner, name, None) if inspect.ismodule(owner) or hasattr(owner, "__dict__") else None
            if inspect.isfunction(found) or inspect.ismethod(found):
                yield found
