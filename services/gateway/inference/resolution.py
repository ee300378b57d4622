"""Resolution: finds the model, version and signature of a request once, as one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from services.gateway.cascade_setting import Cascade
from services.gateway.codecs.image_decoder import takes_images
from services.gateway.inference.tasks import KINDS, PREDICT, TASKS, SignatureKind, Task
from services.gateway.request.context import RequestContext
from services.gateway.request.errors import InvalidRequest, ModelServerProblem
from services.gateway.upstream.catalog import Catalog, ModelInfo, find_scores
from services.gateway.upstream.model_server import ModelRef
from services.serving_api.signatures import DEFAULT_SIGNATURE, Signature


@dataclass(frozen=True)
class ResolvedRequest:
    """A request to one model, with everything needed to run it.

    Attributes:
        context: deadline, trace and observations of the request.
        model: the model, with the version or label that the client named.
        info: the version that this resolves to, with its signatures.
        signature_name: name of the signature to run.
        signature: its inputs and outputs.
        kind: the kind of the signature; None if the gateway does not know it.
        choice: what was chosen for the task, such as the saliency method.
        outputs: the outputs to compute; all if empty.
        cascade: for a cascade, the large model and the threshold; the other attributes are those of
            its small model.
    """

    context: RequestContext
    model: ModelRef
    info: ModelInfo
    signature_name: str
    signature: Signature
    kind: SignatureKind | None
    choice: str = ""
    outputs: tuple[str, ...] = ()
    cascade: ResolvedCascade | None = None

    def only(self, *outputs: str) -> ResolvedRequest:
        """Returns the same request for some of its outputs; the model computes no others."""
        return replace(self, outputs=outputs)

    def then(self, task: Task, kind: SignatureKind, version: int) -> ResolvedRequest:
        """Returns the next step of a task, for the version that answered the previous one.

        Raises:
            InvalidRequest: the model does not have the signature of this step.
        """
        ref, info = ModelRef(self.model.name, version), replace(self.info, version=version)
        return _resolve_kind(_FoundModel(self.context, ref, info), task, kind)


class ResolvedCascade(NamedTuple):
    """The part of a request to a cascade that does not concern its small model.

    Attributes:
        setting: names of the models, and the threshold.
        large: the same request to the large model; or the problem that makes that model
            unavailable, which is raised only if the small one is unsure.
    """

    setting: Cascade
    large: ResolvedRequest | ModelServerProblem


class Resolver:
    """Resolves requests.

    Args:
        catalog: describes the models.
        cascades: the cascades by name.
    """

    def __init__(self, catalog: Catalog, cascades: Mapping[str, Cascade]) -> None:
        self._catalog = catalog
        self._cascades = cascades

    def task(
        self,
        context: RequestContext,
        model: ModelRef,
        task: Task,
        *,
        kind: SignatureKind | None = None,
        choice: str | None = None,
    ) -> ResolvedRequest:
        """Resolves a request for a task.

        Args:
            context: the request.
            model: a model; for predict also a cascade.
            task: the task.
            kind: the kind of signature that this form of the task needs; by default the task's
                first, or the one that the choice needs.
            choice: what a client chooses for the task; by default the task's default, or the first
                that the model offers.

        Raises:
            InvalidRequest: the model does not have the task, this form of it, or the choice.
            Problem: as `Catalog.model` raises it.
        """
        ref, cascade = self._first_model(model, cascade_allowed=task is PREDICT)
        info = self._info(context, ref, cascade)
        if task.choice:
            kind, choice = _choose(info, task, choice)
        kind = kind or task.kinds[0]
        resolved = _resolve_kind(_FoundModel(context, ref, info), task, kind, choice or "")
        return self._add_large_model(resolved, cascade) if cascade else resolved

    def signature(
        self,
        context: RequestContext,
        model: ModelRef,
        signature_name: str,
        *,
        cascade_allowed: bool = False,
    ) -> ResolvedRequest:
        """Resolves a request for a signature by its name.

        Raises:
            InvalidRequest: the model does not have the signature, or is a cascade that cannot run
                it.
            Problem: as `Catalog.model` raises it.
        """
        ref, cascade = self._first_model(model, cascade_allowed=cascade_allowed)
        info = self._info(context, ref, cascade)
        signature = info.signatures.get(signature_name)
        if signature is None:
            raise InvalidRequest(
                f'Serving signature name: "{signature_name}" not found in signature def: model '
                f"{info.name!r} version {info.version} has {sorted(info.signatures)}"
            )
        kind = _kind_of(signature_name)
        resolved = ResolvedRequest(context, ref, info, signature_name, signature, kind)
        if cascade is None:
            return resolved
        if signature_name != DEFAULT_SIGNATURE:
            raise InvalidRequest(
                f"a cascade runs only {DEFAULT_SIGNATURE!r}, received {signature_name!r}"
            )
        return self._add_large_model(resolved, cascade)

    def model(self, context: RequestContext, model: ModelRef) -> ModelInfo:
        """Returns the description of a model.

        Raises:
            InvalidRequest: the name is that of a cascade.
            Problem: as `Catalog.model` raises it.
        """
        ref, _ = self._first_model(model, cascade_allowed=False)
        return self._info(context, ref, None)

    def described_model(self, model: ModelRef) -> ModelRef:
        """Returns the model whose status and metadata are shown; for a cascade, its small model.

        Raises:
            InvalidRequest: the reference is to a version or a label of a cascade.
        """
        return self._first_model(model, cascade_allowed=True)[0]

    def _first_model(
        self, model: ModelRef, *, cascade_allowed: bool
    ) -> tuple[ModelRef, Cascade | None]:
        cascade = self._cascades.get(model.name)
        if cascade is None:
            return model, None
        if model != ModelRef(model.name):
            raise InvalidRequest(
                f"{model.name!r} is a cascade, which has no versions and no labels: leave them "
                f"out, or call {cascade.small!r} or {cascade.large!r}"
            )
        if not cascade_allowed:
            raise InvalidRequest(
                f"{model.name!r} is a cascade, which has only the task 'predict': call "
                f"{cascade.small!r} or {cascade.large!r}"
            )
        return ModelRef(cascade.small), cascade

    def _info(self, context: RequestContext, ref: ModelRef, cascade: Cascade | None) -> ModelInfo:
        info = self._catalog.model(ref, context)
        context.model = cascade.name if cascade else info.name
        return info

    def _add_large_model(self, small: ResolvedRequest, cascade: Cascade) -> ResolvedRequest:
        _check_classifies(small)
        try:
            ref = ModelRef(cascade.large)
            info = self._catalog.model(ref, small.context)
        except ModelServerProblem as problem:
            return replace(small, cascade=ResolvedCascade(cascade, problem))
        found = _FoundModel(small.context, ref, info)
        large = _resolve_kind(found, PREDICT, PREDICT.kinds[0])
        _check_classifies(large)
        return replace(small, cascade=ResolvedCascade(cascade, large))


class _FoundModel(NamedTuple):
    """The first attributes of a `ResolvedRequest`."""

    context: RequestContext
    ref: ModelRef
    info: ModelInfo


def _choose(info: ModelInfo, task: Task, choice: str | None) -> tuple[SignatureKind, str]:
    """Returns the choice for a task, by default that of the task, and the kind that it needs."""
    offered = choices_of(info, task)
    if choice is None:
        choice = task.default if task.default in offered else next(iter(offered), "")
    return offered.get(choice, task.kinds[0]), choice


def _resolve_kind(
    model: _FoundModel, task: Task, kind: SignatureKind, choice: str = ""
) -> ResolvedRequest:
    info = model.info
    name = kind.name + choice if kind.family else kind.name
    if name not in _members(info, kind):
        raise _missing(info, task, kind, choice)
    return ResolvedRequest(*model, name, info.signatures[name], kind, choice)


def _members(info: ModelInfo, kind: SignatureKind) -> list[str]:
    """Returns the names of a model's signatures of a kind."""
    candidates = (
        sorted(name for name in info.signatures if name.startswith(kind.name))
        if kind.family
        else [kind.name]
    )
    return [name for name in candidates if _has_tensors(info.signatures.get(name), kind)]


def _has_tensors(signature: Signature | None, kind: SignatureKind) -> bool:
    return (
        signature is not None
        and kind.inputs <= signature.inputs.keys()
        and kind.outputs <= signature.outputs.keys()
        and (not kind.classifies_images or _classifies_images(signature))
    )


def _classifies_images(signature: Signature) -> bool:
    return takes_images(signature) and find_scores(signature) is not None


@lru_cache(maxsize=1024)
def _kind_of(signature_name: str) -> SignatureKind | None:
    """Returns the kind of a signature by its name; None if the gateway does not know it."""
    for kind in KINDS:
        if signature_name == kind.name or (kind.family and signature_name.startswith(kind.name)):
            return kind
    return None


def tasks_of(info: ModelInfo) -> list[str]:
    """Returns the names of a model's tasks."""
    methods = {signature.method_name for signature in info.signatures.values()}
    return [
        task.name
        for task in TASKS
        if (task.method_name and task.method_name in methods)
        or any(_members(info, kind) for kind in task.kinds)
    ]


def choices_of(info: ModelInfo, task: Task) -> dict[str, SignatureKind]:
    """Returns what a model offers to choose for a task, each with the kind that it needs."""
    return {choice: kind for kind in task.kinds for choice in _choices(info, kind)}


def _choices(info: ModelInfo, kind: SignatureKind) -> Sequence[str]:
    names = _members(info, kind)
    if kind.family:
        return [name.removeprefix(kind.name) for name in names]
    return kind.methods if names else ()


def _missing(info: ModelInfo, task: Task, kind: SignatureKind, choice: str) -> InvalidRequest:
    advice = f"`lectern export FILE --name {info.name}` adds every task that a Keras model allows"
    if task.name not in tasks_of(info):
        return InvalidRequest(
            f"model {info.name!r} version {info.version} has no task {task.name!r}, "
            f"expected one of {tasks_of(info)} (signatures {sorted(info.signatures)}); {advice}"
        )
    if kind.family:
        return InvalidRequest(
            f"model {info.name!r} has no {task.name} {task.choice} {choice!r}, "
            f"expected one of {list(choices_of(info, task))}"
            + ("" if _members(info, kind) else f"; {advice}")
        )
    form = " that takes images and answers a score for each class" * kind.classifies_images
    return InvalidRequest(
        f"model {info.name!r} version {info.version} has no signature {kind.name!r}{form}, which "
        f"this form of {task.name!r} needs; it has {sorted(info.signatures)}"
    )


def _check_classifies(request: ResolvedRequest) -> None:
    probabilities = request.signature.outputs.get("probabilities")
    if probabilities is None or probabilities.shape is None or len(probabilities.shape) != 2:
        answers = {output: str(spec) for output, spec in sorted(request.signature.outputs.items())}
        raise InvalidRequest(
            f"model {request.model.name!r} has the outputs {answers}, expected 'probabilities' "
            "[N, K] for a cascade"
        )
