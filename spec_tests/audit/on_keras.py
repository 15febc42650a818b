"""A pipeline in Keras 3, on any backend. ``fit`` runs with the author's arguments, and layers are watched eagerly."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

import keras
import numpy as np

from ..adapter.contract import Variable
from ..judging.checks import NotClaimed, Undecided
from . import extracting, keras_losses, preprocessing
from .common import FAR, Made, OneArray, reloaded
from .pipeline import Pipeline
from .probe import Array, Compared, Extracted, Held, Modes, Outputs, Prepared, Run, Scored
from .scoring import oriented, rounding, scores_of
from .taken import Taken, counted_classes

NAMED = {"BatchNormalization": keras.layers.BatchNormalization}


class KerasProbe(Made):
    """See ``Probe``."""

    framework = "Keras"

    # What is in the model

    def bases(self, made: Pipeline) -> list[Any]:
        """The layers of the base."""
        if made.base is None:
            nested = [layer for layer in made.model.layers if isinstance(layer, keras.Model)]
            if len(nested) != 1:
                raise NotClaimed("give base=, the pretrained model inside the model, or a list of its layers")
            return nested
        return list(made.base) if isinstance(made.base, list | tuple) else [made.base]

    def variables(self, made: Pipeline) -> list[Variable]:
        """All variables except the states of random generators."""
        own = {id(v) for base in self.bases(made) for v in base.variables}
        trains = {id(v) for v in made.model.trainable_variables}
        layers = {id(v): layer for layer in made.model._flatten_layers() for v in layer._trainable_variables}
        layers |= {id(v): layer for layer in made.model._flatten_layers() for v in layer._non_trainable_variables}
        found: list[Variable] = []
        for v in made.model.variables:
            layer = layers.get(id(v))
            if "seed" in v.path or layer is None:
                continue
            kind = next((name for name, of in NAMED.items() if isinstance(layer, of)), type(layer).__name__)
            part = "base" if id(v) in own else "head"
            value = np.array(keras.ops.convert_to_numpy(v.value))
            found.append(OneArray(f"{v.path}", layer.name, kind, part, id(v) in trains, value))
        return found

    def _is_frozen(self, made: Pipeline) -> bool:
        """Whether the author froze the base. This reads the flag, which may not have reached the layers."""
        return all(not base.trainable for base in self.bases(made)) or not any(
            v.trainable for v in self.variables(made) if v.part == "base"
        )

    # Training

    def _train(self, made: Pipeline, batches: Taken) -> None:
        keras.utils.set_random_seed(0)
        self._train_as_seeded(made, batches)

    def _train_as_seeded(self, made: Pipeline, batches: Taken) -> None:
        if made.train_epoch is not None:
            made.train_epoch(batches)
            return
        if not made.model.compiled:
            raise NotClaimed("compile the model in make, or give train_epoch=, your function that trains for one epoch")
        made.model.fit(
            _fed(batches),
            **({"verbose": 0} | dict(made.fit) | {"epochs": 1, "initial_epoch": 0, "steps_per_epoch": None}),
        )

    @cached_property
    def _epoch(self) -> dict[str, Any]:
        """Observations of one epoch of a new model."""
        made, batches = self.new(), Taken(self.training, self.first.train)
        before = self.variables(made)
        compared = self._base_compared(made)
        self._train(made, batches)
        return {
            "made": made, "run": Run(before, self.variables(made), every=False), "compared": compared,
            "counts": batches.counts, "took": batches.taken,
        }  # fmt: skip

    def frozen_runs(self) -> list[Run]:
        """See ``Probe``."""
        if not self._is_frozen(self.first):
            raise NotClaimed("no base is frozen in a new model")
        over = getattr(self.first.model.optimizer, "gradient_accumulation_steps", None) or 1
        if over > len(self.training):
            raise Undecided(
                f"gradients are accumulated over {over} batches, and {len(self.training)} are taken: try more --images"
            )
        return [self._epoch["run"]]

    def base_in_training(self) -> list[Compared]:
        """See ``Probe``."""
        self.frozen_runs()
        if not self._epoch["compared"]:
            raise NotClaimed("give base=, one layer that the model calls: a list of layers cannot be observed")
        return list(self._epoch["compared"])

    def _base_compared(self, made: Pipeline) -> list[Compared]:
        """The base's outputs when the model is called in training and in inference.

        Its state is restored afterwards.
        """
        bases = self.bases(made)
        if len(bases) != 1:
            return []
        state = [keras.ops.convert_to_numpy(v.value) for v in made.model.variables]
        images = np.asarray(self.training[0][0])
        with _watching(bases[0]) as seen:
            made.model(images, training=True)
        for v, value in zip(made.model.variables, state, strict=True):
            v.assign(value)
        if not seen:
            return []
        inputs, got = seen[0]
        expected = keras.ops.convert_to_numpy(bases[0](inputs, training=False))
        tolerance = 1e-3 * float(np.abs(expected).max())
        return [Compared("output of the base in training", keras.ops.convert_to_numpy(got), expected, tolerance)]

    @cached_property
    def _tuned(self) -> dict[str, Any]:
        """Observations of a new model that is trained for an epoch, then unfrozen and trained for another."""
        made = self.new()
        if made.unfreeze is None:
            raise NotClaimed("give unfreeze=, your function that begins fine-tuning")
        images = self.predictor()[1]
        self._train(made, Taken(self.training, self.first.train))
        before = self._predicted(made, images)
        made.unfreeze()
        after, start = self._predicted(made, images), self.variables(made)
        self._train(made, Taken(self.training, self.first.train))
        return {"around": (before, after), "run": Run(start, self.variables(made), every=False), "made": made}

    def tuned_runs(self) -> list[Run]:
        """See ``Probe``."""
        return [self._tuned["run"]]

    def around_unfreezing(self) -> Compared:
        """See ``Probe``."""
        before, after = self._tuned["around"]
        return Compared("outputs after unfreezing", after, before, 1e-5 * max(1, float(np.abs(before).max())))

    def held(self) -> list[Held]:
        """See ``Probe``."""
        found = [self._held_by(self._epoch["made"])]
        return [*found, self._held_by(self._tuned["made"])] if self.first.unfreeze else found

    def _held_by(self, made: Pipeline) -> Held:
        optimizer = made.model.optimizer
        if optimizer is None:
            raise NotClaimed("compile the model in make")
        if made.train_epoch is not None and not optimizer.built:
            raise NotClaimed("train_epoch uses another optimizer")
        have = {id(v) for v in getattr(optimizer, "_trainable_variables", [])}
        own = {id(v) for v in made.model.variables}
        trains = list(made.model.trainable_variables)
        return Held(len(trains), {v.path for v in trains if id(v) not in have}, len(have - own))

    def two_makes(self) -> tuple[dict[str, Array], dict[str, Array]]:
        """See ``Probe``."""
        if not self._is_frozen(self.first):
            raise NotClaimed("no base is frozen in a new model, and a base that is trained may start with new weights")
        made = self.new()
        one, other = ([v for v in self.variables(m) if v.part == "base"] for m in (self.first, made))
        names = [f"{place} {v.path}" for place, v in enumerate(one)]
        return dict(zip(names, (v.value for v in one), strict=True)), {
            name: v.value for name, v in zip(names, other, strict=False)
        }

    def used(self) -> tuple[list[int], int]:
        """See ``Probe``."""
        if self.first.train_epoch is None:
            raise NotClaimed("fit always takes each batch once")
        if not self._epoch["took"]:
            raise Undecided("train_epoch does not take the batches that it is called with")
        return [*self._epoch["counts"]], 1

    # Prediction and validation

    def _predicted(self, made: Pipeline, images: Any) -> Array:
        return np.asarray(keras.ops.convert_to_numpy(made.model(images, training=False)))

    def predictor(self) -> tuple[Callable[[Array], Array], Array, float]:
        """See ``Probe``."""
        images = np.concatenate([np.asarray(batch[0]) for batch in self.validating])
        return lambda some: self._predicted(self.first, some), images, rounding(self._predicted(self.first, images))

    @cached_property
    def _validated(self) -> dict[str, Any]:
        """Observations of a trained model while it is validated."""
        made = self._epoch["made"]
        before = self.variables(made)
        predicted = self._predicted(made, self.predictor()[1])
        batches = Taken(self.validating, self.first.validation)
        if made.validate is not None:
            returned = made.validate(batches)
        else:
            returned = made.model.evaluate(_fed(batches), verbose=0, return_dict=True)
        return {
            "run": Run(before, self.variables(made)), "reported": returned,
            "predicted": predicted, "made": made,
        }  # fmt: skip

    def validation_runs(self) -> list[Run]:
        """See ``Probe``."""
        return [self._validated["run"]]

    def scores(self) -> list[Scored]:
        """See ``Probe``."""
        reported = scores_of(self._validated["reported"])
        labels = np.concatenate([counted_classes(np.asarray(batch[1])) for batch in self.validating])
        true = keras_losses.computed(self._validated["made"].model, self._validated["predicted"], labels)
        return [Scored(oriented(reported, true), true)]

    def modes(self) -> Modes:
        """See ``Probe``."""
        raise NotClaimed("in Keras fit and evaluate set the phase themselves")

    def outputs(self) -> Outputs:
        """See ``Probe``."""
        loss, wanted = keras_losses.taken(self.first.model)
        values = []
        for factor in (1, FAR, -FAR):
            with _scaling(self.bases(self.first)[-1], factor):
                values.append(self._predicted(self.first, self.predictor()[1]))
        together = np.concatenate(values)
        return Outputs(loss, wanted, together.reshape(len(together), -1))

    # Images

    def prepared(self) -> Prepared:
        """See ``Probe``."""
        return preprocessing.prepared(self.first, self._reaching, self.is_pretrained)

    def _reaching(self, images: Any) -> Array:
        """The base's input (n, height, width, channels)."""
        with _watching(self.bases(self.first)[0]) as seen:
            self._predicted(self.first, images)
        if not seen:
            raise Undecided("the base is not called as a layer of the model")
        return np.asarray(keras.ops.convert_to_numpy(seen[0][0]))

    # Features computed once

    def _extracted(self, made: Pipeline) -> Extracted:
        return extracting.extracted(made, _fed, lambda part: np.stack((part, part)))

    def through_features(self) -> Compared:
        """See ``Probe``."""
        made, seen, _ = self._features
        if not callable(made.head):
            raise NotClaimed("give head=, the layer or the model that is trained on features")

        def applied(features: Array) -> Array:
            return np.asarray(keras.ops.convert_to_numpy(made.head(features, training=False)))

        return extracting.through_head(applied, seen, self._predicted(made, seen.images))

    # The model that training keeps, and the final report

    def kept(self) -> tuple[list[float], float]:
        """See ``Probe``."""
        made = self.new()
        if made.best is None:
            raise NotClaimed("give best=, which trains and returns the validation losses and the model that it keeps")
        losses, model = made.best()
        own = model is made.model or not isinstance(model, keras.Model)
        made.model = model if isinstance(model, keras.Model) else made.model
        if made.validate is not None and own:
            returned = made.validate(made.validation)
        else:
            returned = made.model.evaluate(made.validation, verbose=0, return_dict=True)
        return [float(loss) for loss in losses], scores_of(returned)["loss"]

    def restored(self) -> Compared:
        """See ``Probe``."""
        made, images = self._epoch["made"], self.predictor()[1]
        before, model = self._predicted(made, images), reloaded(made, keras.Model)
        after = self._predicted(replace(made, model=model), images)
        return Compared("outputs of the model that was saved and loaded", after, before, rounding(before))

    def paired(self) -> tuple[float, float]:
        """See ``Probe``."""
        if self.first.predictions is None:
            raise NotClaimed("give predictions=, which returns the predictions for all of validation and their labels")
        outputs, beside = (np.asarray(part) for part in self.first.predictions())
        batches = list(self._given("validation"))
        labels = np.concatenate([counted_classes(np.asarray(batch[1])) for batch in batches])
        own = np.concatenate([self._predicted(self.first, np.asarray(batch[0])) for batch in batches])
        model = self.first.model
        given = keras_losses.computed(model, outputs, counted_classes(beside))["accuracy"]
        return given, keras_losses.computed(model, own, labels)["accuracy"]


def _fed(batches: Taken) -> Any:
    """The batches as a ``tf.data`` set, which every ``fit`` takes, including those of keras-hub's tasks."""
    try:
        import tensorflow as tf
    except ModuleNotFoundError as error:
        raise NotClaimed(
            "install tensorflow, whose data sets fit is given, or give train_epoch= and validate="
        ) from error

    shapes = [np.asarray(part) for part in batches.first[:2]]
    signature = tuple(tf.TensorSpec((None, *part.shape[1:]), part.dtype) for part in shapes)
    return tf.data.Dataset.from_generator(
        lambda: ((np.asarray(images), np.asarray(labels)) for images, labels, *_ in batches), output_signature=signature
    )


@contextmanager
def _watching(layer: Any) -> Iterator[list[tuple[Any, Any]]]:
    """Record the inputs and the outputs of a layer."""
    seen: list[tuple[Any, Any]] = []
    call = layer.call

    def noted(inputs: Any, *arguments: Any, **options: Any) -> Any:
        outputs = call(inputs, *arguments, **options)
        seen.append((inputs, outputs))
        return outputs

    layer.call = noted
    try:
        yield seen
    finally:
        layer.call = call


@contextmanager
def _scaling(layer: Any, factor: float) -> Iterator[None]:
    """Multiply the outputs of a layer by a factor."""
    call = layer.call
    layer.call = lambda inputs, *arguments, **options: call(inputs, *arguments, **options) * factor
    try:
        yield
    finally:
        layer.call = call
