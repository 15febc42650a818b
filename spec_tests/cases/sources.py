"""Source folders in Kaggle's layout, from which subsets are taken."""

from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import strategies as st

from .galleries import CLASSES, save_marked


@dataclass(frozen=True)
class Source:
    """Images with these indices in Kaggle's layout, class.index.suffix."""

    cats: tuple[int, ...]
    dogs: tuple[int, ...]
    suffixes: tuple[str, ...] = ("jpg",)  # used in turn, by index
    classes: tuple[str, str] = ("cat", "dog")
    alike: bool = False  # all files have the same bytes

    def name(self, label: int, index: int) -> str:
        """The file name of an image."""
        return f"{self.classes[label]}.{index}.{self.suffixes[index % len(self.suffixes)]}"

    def write(self, folder: Path) -> Path:
        """Write the images: each with other content, or all with the same if ``alike``."""
        for label, indices in enumerate((self.cats, self.dogs)):
            for index in indices:
                save_marked(*((0, 0) if self.alike else (label, index)), folder / self.name(label, index))
        return folder


@dataclass(frozen=True)
class Cut:
    """A range of indices to take from a source."""

    source: Source
    start: int
    end: int

    @property
    def names(self) -> set[str]:
        """The files that the subset must hold."""
        indices = range(self.start, self.end)
        return {f"{name}/{self.source.name(i, k)}" for i, name in enumerate(self.source.classes) for k in indices}


@dataclass(frozen=True)
class Gap:
    """A range of indices, one of which is missing in one class."""

    cut: Cut
    name: str
    index: int


SMALL_INDICES = st.integers(0, 12)
PLAIN = st.just(("jpg",))
CATS_AND_DOGS = st.just(("cat", "dog"))


@st.composite
def cuts(
    draw: st.DrawFn,
    start: st.SearchStrategy[int] = SMALL_INDICES,
    suffixes: st.SearchStrategy[tuple[str, ...]] = PLAIN,
    classes: st.SearchStrategy[tuple[str, str]] = CATS_AND_DOGS,
) -> Cut:
    """Ranges of sources that hold other indices too; the classes differ in these, and both have gaps."""
    first = draw(start)
    end = first + draw(st.integers(1, 5))
    others = st.sets(st.one_of(st.integers(0, 25), st.integers(100, 1300)), max_size=5)
    cats, dogs = (tuple(sorted(draw(others) | set(range(first, end)))) for _ in range(2))
    return Cut(Source(cats, dogs, draw(suffixes), draw(classes), draw(st.booleans())), first, end)


EACH_CUT = tuple(Cut(Source((0, 1, 2, 3, 10), (0, 1, 2, 12), classes=classes), 1, 3) for classes in CLASSES)
ALIKE = replace(EACH_CUT[0], source=replace(EACH_CUT[0].source, alike=True))
SUFFIXED = replace(EACH_CUT[0], source=replace(EACH_CUT[0].source, suffixes=("jpg", "JPG", "jpeg", "PNG", "png")))


@st.composite
def gaps(draw: st.DrawFn) -> Gap:
    """Ranges with one image missing; indices have four digits, so that no message contains one by chance."""
    cut = draw(cuts(st.integers(2000, 9000)))
    label, index = draw(st.integers(0, 1)), draw(st.integers(cut.start, cut.end - 1))
    indices = [cut.source.cats, cut.source.dogs]
    alike = 10 * index  # the class has other files, one with a name that begins like the missing one's
    indices[label] = (*(i for i in indices[label] if i != index), alike)
    source = replace(cut.source, cats=indices[0], dogs=indices[1])
    return Gap(replace(cut, source=source), source.classes[label], index)
