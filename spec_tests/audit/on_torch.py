"""A pipeline in PyTorch, observed by hooks while the author's functions train and validate it."""

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import nn

from ..adapter.contract import Variable
from ..judging.checks import NotClaimed, Undecided
from . import extracting, preprocessing
from .common import FAR, Made, reloaded
from .pipeline import Pipeline
from .probe import Array, Compared, Extracted, Held, Modes, Outputs, Prepared, Run, Scored
from .scoring import computed, oriented, rounding, scores_of
from .taken import Taken, counted_classes, length
from .torch_hooks import DROPOUT, called, dropouts, require_steps, same_seed, watched
from .torch_hooks import into as criterion_gets
from .torch_hooks import steps as noted_steps
from .torch_models import NORMALIZATION, head_of, listed, variables_of

TAKES = {
    "CrossEntropyLoss": "logits",
    "BCEWithLogitsLoss": "logits",
    "NLLLoss": "log-probabilities",
    "BCELoss": "probabilities",
}


class TorchProbe(Made):
    """See ``Probe``."""

    framework = "PyTorch"

    def _is_frozen(self, made: Pipeline) -> bool:
        flags = [v.trainable for v in variables_of(made) if v.part == "base"]
        return bool(flags) and not any(flags)

    # Training

    def _train(self, made: Pipeline, batches: Taken) -> Any:
        with same_seed():
            return self._train_as_seeded(made, batches)

    def _train_as_seeded(self, made: Pipeline, batches: Taken) -> Any:
        if made.train_epoch is None:
            raise NotClaimed("give train_epoch=, your function that trains for one epoch")
        return made.train_epoch(batches)

    def variables(self, made: Pipeline) -> list[Variable]:
        """See ``variables_of``."""
        return variables_of(made)

    @cached_property
    def _epoch(self) -> dict[str, Any]:
        """Observations of an epoch of a new model: moved variables, outputs of the base, active dropouts, batches."""
        made = self.new()
        steps: list[Any] = []
        into: list[bool] = []
        batches = Taken(self.training, self.first.train, steps)
        before, still = variables_of(made), copy.deepcopy(made.model)
        seen: list[tuple[Any, ...]] = []
        with (
            watched(made.model, head_of(made), seen),
            dropouts(head_of(made)) as on,
            noted_steps(steps),
            criterion_gets(made, into),
        ):
            self._train(made, batches)
        return {
            "made": made, "run": Run(before, variables_of(made), every=False), "still": still, "seen": seen,
            "dropouts": on, "counts": batches.counts, "steps": steps, "into": into, "took": batches.taken,
        }  # fmt: skip

    def frozen_runs(self) -> list[Run]:
        """See ``Probe``."""
        if not self._is_frozen(self.first):
            raise NotClaimed("no base is frozen in a new model")
        require_steps(self._epoch["steps"])
        return [self._epoch["run"]]

    def base_in_training(self) -> list[Compared]:
        """See ``Probe``."""
        self.frozen_runs()
        if not self._epoch["seen"]:
            raise Undecided("the model was not called as a module while it was trained")
        (inputs, features, rough, modes), still = self._epoch["seen"][0], self._epoch["still"].eval()
        again: list[tuple[Any, ...]] = []
        with watched(still, self._twin(still), again), torch.no_grad():
            still(*inputs)
        for name, module in still.named_modules():
            module.training = modes[name] and not isinstance(module, NORMALIZATION)
        noisy: list[list[Any]] = [[], []]
        for seed, one in enumerate(noisy):
            with watched(still, self._twin(still), one), torch.no_grad(), torch.random.fork_rng():
                torch.manual_seed(seed)
                still(*inputs)
        if not torch.equal(noisy[0][0][1], noisy[1][0][1]):
            raise Undecided("features are random in training: give head= with the dropout that comes before it")
        expected = again[0][1].float().cpu().numpy()
        tolerance = (0.1 if rough else 1e-3) * float(np.abs(expected).max())  # autocast rounds coarsely
        return [Compared("features of a training step", features.float().cpu().numpy(), expected, tolerance)]

    def _twin(self, model: nn.Module) -> nn.Module:
        """The head of a copy of the model."""
        name = next(name for name, module in self._epoch["made"].model.named_modules() if module is self._head_made)
        return model.get_submodule(name)

    @cached_property
    def _head_made(self) -> nn.Module:
        return head_of(self._epoch["made"])

    @cached_property
    def _tuned(self) -> dict[str, Any]:
        """Observations of a new model that is unfrozen and trained for an epoch."""
        made = self.new()
        if made.unfreeze is None:
            raise NotClaimed("give unfreeze=, your function that begins fine-tuning")
        images = self._inputs()
        before = self._predicted(made, images)
        was = {name for name, p in made.model.named_parameters() if p.requires_grad}
        optimizer = made.unfreeze()
        begun = {name for name, p in made.model.named_parameters() if p.requires_grad} - was
        after, start = self._predicted(made, images), variables_of(made)
        steps: list[Any] = []
        with noted_steps(steps):
            self._train(made, Taken(self.training, self.first.train))
        require_steps(steps)
        used = list({id(one): one for one, _ in steps}.values())
        if isinstance(optimizer, torch.optim.Optimizer) and all(one is not optimizer for one in used):
            raise Undecided("train_epoch does not use the optimizer that unfreeze returns: keep it where both find it")
        held = self._held_by(made, used, begun)
        return {"around": (before, after), "run": Run(start, variables_of(made), every=False), "held": held}

    def tuned_runs(self) -> list[Run]:
        """See ``Probe``."""
        return [self._tuned["run"]]

    def around_unfreezing(self) -> Compared:
        """See ``Probe``."""
        before, after = self._tuned["around"]
        return Compared("outputs after unfreezing", after, before, 1e-5 * max(1, float(np.abs(before).max())))

    def held(self) -> list[Held]:
        """See ``Probe``."""
        found = [self._held_by(self.first, self._given("optimizer"))]
        return [*found, self._tuned["held"]] if self.first.unfreeze else found

    def _held_by(self, made: Pipeline, optimizer: Any, begun: Any = frozenset()) -> Held:
        """What an optimizer holds. Frozen parameters in it do no harm, since they have no gradient."""
        have = {id(p) for one in listed(optimizer) for group in one.param_groups for p in group["params"]}
        own = {id(p): name for name, p in made.model.named_parameters()}
        heads = {id(p) for p in head_of(made).parameters()}
        asked = {n for n, p in made.model.named_parameters() if p.requires_grad and (id(p) in heads or n in begun)}
        trains = {n for n, p in made.model.named_parameters() if n in asked and id(p) not in have}
        return Held(len(asked), trains, len(have - own.keys()) if trains else 0)

    def two_makes(self) -> tuple[dict[str, Array], dict[str, Array]]:
        """See ``Probe``."""
        if not self._is_frozen(self.first):
            raise NotClaimed("no base is frozen in a new model, and a base that is trained may start with new weights")
        made = self.new()
        one, other = ({v.path: v.value for v in variables_of(m) if v.part == "base"} for m in (self.first, made))
        return one, other

    def used(self) -> tuple[list[int], int]:
        """See ``Probe``."""
        if not self._epoch["took"]:
            raise Undecided("train_epoch does not take the batches that it is called with")
        require_steps(self._epoch["steps"])
        return [*self._epoch["counts"]], 1

    # Prediction and validation

    def _inputs(self) -> Any:
        return torch.cat([torch.as_tensor(batch[0]) for batch in self.validating])

    def _predicted(self, made: Pipeline, images: Any) -> Array:
        was = {module: module.training for module in made.model.modules()}
        made.model.eval()
        device = next(made.model.parameters()).device
        with torch.no_grad():
            outputs = made.model(images.to(device))
        for module, mode in was.items():
            module.training = mode
        outputs = getattr(outputs, "logits", outputs)  # transformers returns an object with logits
        return np.asarray(outputs.detach().cpu())

    def predictor(self) -> tuple[Callable[[Array], Array], Array, float]:
        """See ``Probe``."""
        model = self.first
        images, may_change = self._inputs().numpy(), rounding(self._predicted(model, self._inputs()))
        return lambda some: self._predicted(model, torch.as_tensor(some)), images, may_change

    def _validate(self, made: Pipeline) -> Any:
        if made.validate is None:
            raise NotClaimed("give validate=, your function that returns loss, accuracy, or both")
        batches, self._calls = Taken(self.validating, self.first.validation), list[Any]()
        self._same: list[bool] = []
        with called(made.model, self._calls), criterion_gets(made, self._same):
            returned = made.validate(batches)
        if not batches.taken:
            raise Undecided("validate does not take the batches that it is called with")
        return returned

    @cached_property
    def _validated(self) -> dict[str, Any]:
        """Observations of a trained model that is validated twice and then trained again."""
        made = self._epoch["made"]
        before = variables_of(made)
        with dropouts(head_of(made)) as on:
            reported = [self._validate(made), self._validate(made)]
        after = variables_of(made)
        still = copy.deepcopy(made.model)
        with dropouts(head_of(made)) as later:
            self._train(made, Taken(self.training, self.first.train))
        return {
            "run": Run(before, after), "reported": reported, "calls": self._calls, "same": self._same, "still": still,
            "validating": on, "afterwards": later,
        }  # fmt: skip

    def validation_runs(self) -> list[Run]:
        """See ``Probe``."""
        return [self._validated["run"]]

    def scores(self) -> list[Scored]:
        """See ``Probe``."""
        reported = [scores_of(returned) for returned in self._validated["reported"]]
        labels = np.concatenate([counted_classes(batch[1]) for batch in self.validating])
        predicted = self._judged(len(labels))
        true = computed(self.first.criterion, predicted, labels)
        if not all(self._validated["same"]):
            true.pop("loss", None)
            if predicted.reshape(len(predicted), -1).shape[1] == 1:
                true = {}
        for size in {length(self.first.validation), length(getattr(self.first.validation, "dataset", ()))} - {
            0,
            len(labels),
        }:
            for one in reported:
                both = one.keys() & true.keys()
                if both and all(abs(one[k] * size / len(labels) - true[k]) <= 1e-3 * true[k] for k in both):
                    raise Undecided(f"validate divides by {size}, but was given {len(labels)} images")
        if not any(one.keys() & true.keys() for one in reported):
            raise NotClaimed("validate reports no number that can be recomputed from outputs and labels")
        return [Scored(oriented(one, true), true) for one in reported]

    def _judged(self, count: int) -> Array:
        """The predictions for the images that ``validate`` gave to the model."""
        calls, made = self._validated["calls"], replace(self._epoch["made"], model=self._validated["still"])
        if any(rough for _, rough in calls):
            raise Undecided("validate runs under autocast, whose rounding is larger than the differences to find")
        if not calls:
            raise Undecided("validate does not call the model: an average of its weights, a copy, or a compiled one?")
        images = [torch.as_tensor(batch[0]) for batch in self.validating]
        if self._changes_images():
            images = [one for one, _ in calls]
            if sum(map(len, images)) != count:
                raise Undecided("validate calls the model with other images than it was given")
        return np.concatenate([self._predicted(made, one) for one in images])

    def _changes_images(self) -> bool:
        """Whether ``validate`` gives the model other images than its batches hold."""
        images = [torch.as_tensor(batch[0]) for batch in self.validating]
        given = [one.cpu() for one, _ in self._validated["calls"]]
        return any(not any(one.shape == other.shape and torch.equal(one, other) for other in images) for one in given)

    def modes(self) -> Modes:
        """See ``Probe``."""
        names = {module: name for name, module in head_of(self._epoch["made"]).named_modules()}
        if not any(isinstance(module, DROPOUT) and module.p > 0 for module in names):
            raise NotClaimed("the head has no dropout module")
        return Modes(*(dict(on) for on in (
            self._epoch["dropouts"], self._validated["validating"], self._validated["afterwards"]
        )))  # fmt: skip

    def outputs(self) -> Outputs:
        """See ``Probe``."""
        made, head = self.first, head_of(self.first)
        kinds = [kind.__name__ for kind in type(self._given("criterion")).mro()]
        loss = next((kind for kind in kinds if kind in TAKES), "")
        if not loss:
            raise Undecided(f"it is not known what outputs {kinds[0]} takes")
        if not self._epoch["into"] or not all(self._epoch["into"]):
            raise Undecided("train_epoch does not pass the model's outputs to the criterion unchanged")
        values = []
        for factor in (1, FAR, -FAR):
            handle = head.register_forward_pre_hook(lambda _, given, by=factor: (given[0] * by, *given[1:]))
            try:
                values.append(self._predicted(made, self._inputs()))
            finally:
                handle.remove()
        together = np.concatenate(values)
        return Outputs(loss, TAKES[loss], together.reshape(len(together), -1))

    # Images

    def prepared(self) -> Prepared:
        """See ``Probe``."""
        if self.first.train_epoch is not None and self.first.validate is not None and self._changes_images():
            raise NotClaimed("validate changes images before the model gets them: do that in the data set")
        return preprocessing.prepared(self.first, self._reaching, self.is_pretrained)

    def _reaching(self, images: Any) -> Array:
        """The input of the first convolution, or of the first layer with weights, (n, height, width, channels)."""
        seen: list[Any] = []
        layers = [m for m in self.first.model.modules() if list(m.parameters(recurse=False))]
        module = next((m for m in layers if isinstance(m, nn.Conv2d)), layers[0])
        # the library describes the input of the whole model
        if self.first.expects is None:
            module = next(m for m in (self.first.base, self.first.model) if isinstance(m, nn.Module))
        handle = module.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach().cpu().numpy()))
        try:
            self._predicted(self.first, torch.as_tensor(images))
        finally:
            handle.remove()
        return np.moveaxis(np.concatenate(seen), 1, -1)

    # Features computed once

    def _extracted(self, made: Pipeline) -> Extracted:
        return extracting.extracted(
            made, lambda batches: batches, lambda part: torch.stack([torch.as_tensor(part)] * 2)
        )

    def through_features(self) -> Compared:
        """See ``Probe``."""
        made, seen, _ = self._features
        head = head_of(made).eval()

        def applied(features: Array) -> Array:
            with torch.no_grad():
                return head(torch.as_tensor(features)).numpy()  # type: ignore[no-any-return]

        return extracting.through_head(applied, seen, self._predicted(made, torch.as_tensor(seen.images)))

    # The model that training keeps, and the final report

    def kept(self) -> tuple[list[float], float]:
        """See ``Probe``."""
        made = self.new()
        if made.best is None:
            raise NotClaimed("give best=, which trains and returns the validation losses and the model that it keeps")
        losses, model = made.best()
        own = model is made.model or not isinstance(model, nn.Module)
        made.model = model if isinstance(model, nn.Module) else made.model
        if made.validate is not None and own:
            loss = scores_of(made.validate(made.validation)).get("loss")  # as the author measures it
        else:
            loss = self._loss_of(made)
        return [float(one) for one in losses], _no_loss() if loss is None else loss

    def restored(self) -> Compared:
        """See ``Probe``."""
        made = self._epoch["made"]
        before, model = self._predicted(made, self._inputs()), reloaded(made, nn.Module)
        after = self._predicted(replace(made, model=model), self._inputs())
        return Compared("outputs of the model that was saved and loaded", after, before, rounding(before))

    def _answers(self, made: Pipeline) -> tuple[Array, Array]:
        """Predictions for all validation images, in the order of the batches, and their labels."""
        batches = list(self._given("validation"))
        outputs = [self._predicted(made, torch.as_tensor(batch[0])) for batch in batches]
        return np.concatenate(outputs), np.concatenate([counted_classes(batch[1]) for batch in batches])

    def _loss_of(self, made: Pipeline) -> float:
        return computed(made.criterion, *self._answers(made)).get("loss") or _no_loss()

    def paired(self) -> tuple[float, float]:
        """See ``Probe``."""
        if self.first.predictions is None:
            raise NotClaimed("give predictions=, which returns the predictions for all of validation and their labels")
        outputs, beside = (np.asarray(torch.as_tensor(part).cpu()) for part in self.first.predictions())
        criterion = self.first.criterion
        given = computed(criterion, outputs, counted_classes(beside))["accuracy"]
        return given, computed(criterion, *self._answers(self.first))["accuracy"]


def _no_loss() -> float:
    raise Undecided("a loss with weights, or a custom loss, cannot be recomputed")
