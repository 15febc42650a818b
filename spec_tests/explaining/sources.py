"""The sources of a clause as links: the text of its source, and published definitions of its family."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..clauses.clause import Clause
from .notes import CELLS, SECTIONS, Part

KERAS = "https://www.tensorflow.org/api_docs/python/tf/keras/"  # the pages of Keras 3
HUB = "https://keras.io/keras_hub/api/"
PYTORCH = "https://docs.pytorch.org/docs/stable/generated/"


@dataclass(frozen=True)
class Source:
    """A text to read: a page on the network, or a part of the notes."""

    title: str
    address: str  # empty if there is no page
    part: Part | None = None


def _keras(path: str) -> Source:
    return Source(f"Keras documentation of {path.rpartition('/')[2]}", KERAS + path)


def _paper(number: str, title: str) -> Source:
    return Source(f"{title}, arXiv {number}", f"https://arxiv.org/abs/{number}")


PAPERS = {
    "1502.03167": "Ioffe and Szegedy, Batch Normalization",
    "1610.02357": "Chollet, Xception: Deep Learning with Depthwise Separable Convolutions",
    "1412.6980": "Kingma and Ba, Adam: A Method for Stochastic Optimization",
}
KERAS_PAGES = {
    "Conv2D": "layers/Conv2D",
    "SeparableConv2D": "layers/SeparableConv2D",
    "MaxPooling2D": "layers/MaxPool2D",
    "AveragePooling2D": "layers/AveragePooling2D",
    "GlobalAveragePooling2D": "layers/GlobalAveragePooling2D",
    "BatchNormalization": "layers/BatchNormalization",
    "Dropout": "layers/Dropout",
    "RandomFlip": "layers/RandomFlip",
    "RandomRotation": "layers/RandomRotation",
    "RandomZoom": "layers/RandomZoom",
    "BinaryCrossentropy": "losses/BinaryCrossentropy",
    "BinaryAccuracy": "metrics/BinaryAccuracy",
    "ModelCheckpoint": "callbacks/ModelCheckpoint",
    "Adam": "optimizers/Adam",
    "image_dataset_from_directory": "utils/image_dataset_from_directory",
}
NAMED = {  # {phrase in a clause's source: the places that it refers to}
    "keras-hub's XceptionBackbone": (
        Source("XceptionBackbone of KerasHub", f"{HUB}models/xception/xception_backbone"),
    ),
    "keras-hub's ImageConverter": (
        Source("ImageConverter, a preprocessing layer of KerasHub", f"{HUB}preprocessing_layers"),
    ),
    "the documentation of each pretrained base": (
        Source("Keras Applications", "https://keras.io/api/applications/"),
        Source("Models of torchvision", "https://docs.pytorch.org/vision/stable/models.html"),
    ),
    "documentation of the losses of PyTorch and Keras": (
        Source("PyTorch documentation of BCEWithLogitsLoss", f"{PYTORCH}torch.nn.BCEWithLogitsLoss.html"),
        Source("PyTorch documentation of CrossEntropyLoss", f"{PYTORCH}torch.nn.CrossEntropyLoss.html"),
        _keras("losses/BinaryCrossentropy"),
    ),
    "PyTorch documentation of load_state_dict": (
        Source("PyTorch documentation of Module", f"{PYTORCH}torch.nn.Module.html#torch.nn.Module.load_state_dict"),
    ),
    "torchvision's and Keras's folders": (
        Source(
            "ImageFolder of torchvision",
            "https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.ImageFolder.html",
        ),
        _keras("utils/image_dataset_from_directory"),
    ),
    "contract": (Source("the contract", ""),),
    "follows from PAD and POOL": (),
}
ARITHMETIC = _paper("1603.07285", "Dumoulin and Visin, A guide to convolution arithmetic for deep learning")
PADDING = Source("TensorFlow's notes on padding", "https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2")
SRIVASTAVA = Source(
    "Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
    "https://jmlr.org/papers/v15/srivastava14a.html",
)
WILSON = Source("Wilson, Probable Inference", "https://doi.org/10.1080/01621459.1927.10502953")
TRANSFER = Source("Keras's guide to transfer learning and fine-tuning", "https://keras.io/guides/transfer_learning/")
TRANSFERABLE = _paper("1411.1792", "Yosinski et al., How transferable are features in deep neural networks?")
PNG = Source("the PNG specification", "https://www.w3.org/TR/png-3/")
JPEG = Source("ITU-T T.81, the JPEG specification", "https://www.w3.org/Graphics/JPEG/itu-t81.pdf")

DEFINITIONS: dict[str, tuple[Source, ...]] = {  # of a family or of one clause
    "ENV": (
        Source("Keras: configuring your backend", "https://keras.io/getting_started/"),
        Source("IPython: defining custom magics", "https://ipython.readthedocs.io/en/stable/config/custommagics.html"),
    ),
    "GET": (
        Source("the ZIP file format, APPNOTE.TXT", "https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT"),
        Source("Python's zipfile", "https://docs.python.org/3/library/zipfile.html"),
    ),
    "GET-2": (Source("CWE-22: path traversal", "https://cwe.mitre.org/data/definitions/22.html"),),
    "LOAD-6": (PNG,),
    "LOAD-12": (JPEG,),
    "LOAD-13": (
        PNG,
        Source("the tags of EXIF, Orientation among them", "https://exiftool.org/TagNames/EXIF.html"),
    ),
    "DENSE": (_keras("layers/Dense"),),
    "CONV": (ARITHMETIC,),
    "CONV-5": (_keras("layers/Conv2D"),),
    "CONV-6": (_paper("1409.1556", "Simonyan and Zisserman, Very Deep Convolutional Networks"),),
    "PAD": (PADDING, ARITHMETIC),
    "STRIDE": (PADDING, ARITHMETIC),
    "POOL": (PADDING, ARITHMETIC),
    "GAP": (_paper("1312.4400", "Lin, Chen and Yan, Network In Network"),),
    "DROP": (SRIVASTAVA,),
    "TRAIN-10": (SRIVASTAVA,),
    "TRAIN-12": (SRIVASTAVA,),
    "TRAIN-13": (SRIVASTAVA,),
    "TRAIN-19": (SRIVASTAVA,),
    "BASE-5": (TRANSFERABLE,),
    "NET-1": (_paper("1502.01852", "He et al., Delving Deep into Rectifiers"),),
    "FRZ": (TRANSFER,),
    "TUNE": (TRANSFER,),
    "TRAIN-18": (_keras("optimizers/Adam"),),
    "ACC-1": (WILSON,),
    "ACC-2": (WILSON,),
    "ACC-3": (TRANSFERABLE,),
    "ACC-4": (SRIVASTAVA,),
    "ACC-5": (
        _paper("1611.03530", "Zhang et al., Understanding deep learning requires rethinking generalization"),
    ),
    "ACC-6": (
        _paper("1805.12177", "Azulay and Weiss, Why do deep convolutional networks generalize so poorly to small "
               "image transformations?"),
    ),
}  # fmt: skip

CODE = re.compile(r"(?:notes, )?code (\d+(?:(?:, | and )\d+)*)(?: \(.*\))?")
SECTION = re.compile(r'notes, "(.+)"')
OF_KERAS = re.compile(r"Keras documentation of (.+)")
ARXIV = re.compile(r"arXiv ([\d.]+)(?:, section \d+)?")


class UnknownSource(Exception):  # noqa: N818 - it says what is wrong
    """The source of a clause names something without a known address."""


def sources(clause: Clause) -> list[Source]:
    """The places that the source names, in that order, then the definitions of its family and of the clause.

    Each place occurs once.
    """
    named = [place for words in re.split(r"; ", clause.source) for place in _named(words)]
    defined = [place for name in (clause.id, clause.family) for place in DEFINITIONS.get(name, ())]
    return list(dict.fromkeys([*named, *defined]))


def _named(words: str) -> Iterator[Source]:
    if found := CODE.fullmatch(words):
        for cell in re.findall(r"\d+", found[1]):
            yield _of_notes(f"code {cell}", CELLS[int(cell)])
    elif found := SECTION.fullmatch(words):
        for title in re.split(r'", "', found[1]):
            yield _of_notes(f'"{title}"', SECTIONS[title])
    elif found := OF_KERAS.fullmatch(words):
        for name in re.split(r", | and ", found[1]):
            yield Source(f"Keras documentation of {name}", KERAS + KERAS_PAGES[name])
    elif found := ARXIV.fullmatch(words):
        yield _paper(found[1], PAPERS[found[1]])
    elif words in NAMED:
        yield from NAMED[words]
    else:
        raise UnknownSource(f"{words}: add its address to {__name__}")


def _of_notes(words: str, part: Part) -> Source:
    return Source(f"study notes, {words}: {part.title.lower()}", "", part)
