"""HDF5 files of weights with arrays that are missing, surplus, of other shapes, or not in the file at all."""

# ruff: noqa: ARG001 - functions that are called alike share a signature

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Change = Callable[[Any, str, Path], None]


def missing(file: Any, name: str, outside: Path) -> None:
    """Remove an array."""
    del file[name]


def group_missing(file: Any, name: str, outside: Path) -> None:
    """Remove all arrays of a layer."""
    del file[name.rpartition("/vars/")[0]]


def surplus(file: Any, name: str, outside: Path) -> None:
    """Add a layer that the architecture does not have."""
    file["layers/another_layer/vars/0"] = np.zeros(3, np.float32)


def surplus_array(file: Any, name: str, outside: Path) -> None:
    """Add an array to a layer."""
    file[f"{name.rpartition('/')[0]}/99"] = np.zeros(3, np.float32)


def renamed(file: Any, name: str, outside: Path) -> None:
    """Rename an array, so that the number of arrays stays the same."""
    file.move(name, f"{name}99")


def misshapen(file: Any, name: str, outside: Path) -> None:
    """Repeat an array along its first axis."""
    values = file[name][...]
    del file[name]
    file[name] = np.concatenate([np.atleast_1d(values), np.atleast_1d(values)])


def texts(file: Any, name: str, outside: Path) -> None:
    """Replace numbers with strings."""
    shape = file[name].shape
    del file[name]
    file[name] = np.full(shape, b"cos\nsystem\n(S'touch x'\ntR.")


def objects(file: Any, name: str, outside: Path) -> None:
    """Replace an array with one whose dtype only a reader of objects understands."""
    shape = file[name].shape
    del file[name]
    file.create_dataset(name, shape, dtype=h5py.string_dtype())


def empty(file: Any, name: str, outside: Path) -> None:
    """Replace an array with one that has no values at all, which is not an array of length zero."""
    del file[name]
    file[name] = h5py.Empty("f4")


def not_an_array(file: Any, name: str, outside: Path) -> None:
    """Replace an array with a group."""
    del file[name]
    file.create_group(name)


def huge(file: Any, name: str, outside: Path) -> None:
    """Declare an array to be far larger than any memory."""
    del file[name]
    file.create_dataset(name, (2**20, 2**20, 2**10), "f4", chunks=(64, 64, 64))


def link_outside(file: Any, name: str, outside: Path) -> None:
    """Replace an array with a link to one in another file."""
    del file[name]
    file[name] = h5py.ExternalLink(str(outside), "secret")


def group_outside(file: Any, name: str, outside: Path) -> None:
    """Replace a layer with a link to another file."""
    group = name.rpartition("/vars/")[0]
    del file[group]
    file[group] = h5py.ExternalLink(str(outside), "/")


def soft_link(file: Any, name: str, outside: Path) -> None:
    """Replace an array with a link to another array of the file."""
    del file[name]
    file["layers/elsewhere/vars/0"] = np.zeros(3, np.float32)
    file[name] = h5py.SoftLink("/layers/elsewhere/vars/0")


def endless_link(file: Any, name: str, outside: Path) -> None:
    """Replace an array with a link to itself."""
    del file[name]
    file[name] = h5py.SoftLink(f"/{name}")


def virtual(file: Any, name: str, outside: Path) -> None:
    """Replace an array with a view of one in another file."""
    shape = file[name].shape or (1,)
    del file[name]
    layout = h5py.VirtualLayout(shape, "f4")
    layout[...] = h5py.VirtualSource(str(outside), "secret", shape)
    file.create_virtual_dataset(name, layout)


def stored_outside(file: Any, name: str, outside: Path) -> None:
    """Replace an array with one whose bytes are stored in another file."""
    shape = file[name].shape or (1,)
    del file[name]
    file.create_dataset(name, shape, "f4", external=[(str(outside), 0, h5py.h5f.UNLIMITED)])


CHANGES: dict[str, Change] = {
    change.__name__: change
    for change in (
        missing, group_missing, surplus, surplus_array, renamed, misshapen, texts, objects, empty, not_an_array, huge,
        link_outside, group_outside, soft_link, endless_link, virtual, stored_outside,
    )
}  # fmt: skip


def changed(data: bytes, kind: str, name: str, outside: Path) -> bytes:
    """The file of weights with the change ``kind`` of the array ``name``; ``outside`` is another file."""
    stream = io.BytesIO(data)
    with h5py.File(stream, "r+") as file:
        CHANGES[kind](file, name, outside)
    return stream.getvalue()


def arrays(data: bytes) -> dict[str, Any]:
    """{name: values} of all arrays in a file of weights."""
    found: dict[str, Any] = {}
    with h5py.File(io.BytesIO(data)) as file:
        file.visititems(lambda name, item: found.update({name: item[...]}) if isinstance(item, h5py.Dataset) else None)
    return found
