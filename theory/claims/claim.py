"""What a claim is, what checking it costs, and what comes out.

A :class:`Claim` holds what a paper states, and the experiment that can support or refute it. The
experiment receives a :class:`Lab` (budget, random key, data, memory, planted fault) and returns a
:class:`Finding`; :meth:`Claim.check` turns it into a :class:`Verdict`, which serialises to JSON.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from jax import Array

from theory.claims.statistics import Comparison, Status, greater, mean_effect

Recall = Callable[[str, Callable[[], Any]], Any]


@dataclass(frozen=True)
class Budget:
    """How much work a check may spend; it changes amounts, never the code path.

    Args:
        name: quoted by every verdict.
        seeds: how many independent repetitions.
        effort: fraction of the paper's optimisation steps, in (0, 1].
        data: fraction of the paper's training windows, images or rows, in (0, 1].
    """

    name: str
    seeds: int
    effort: float
    data: float

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise ValueError(f"seeds must be at least 1, got {self.seeds}")
        for label, value in (("effort", self.effort), ("data", self.data)):
            if not 0 < value <= 1:
                raise ValueError(f"{label} is a fraction in (0, 1], got {value}")


smoke = Budget("smoke", seeds=2, effort=0.06, data=0.1)
laptop = Budget("laptop", seeds=5, effort=0.2, data=0.5)
paper = Budget("paper", seeds=5, effort=1.0, data=1.0)
budgets: Mapping[str, Budget] = {b.name: b for b in (smoke, laptop, paper)}


@dataclass(frozen=True)
class Row:
    """One number of ours beside the paper's, for the report's table.

    Args:
        label: what was measured, with its unit.
        ours: our mean.
        interval: its confidence interval, if it has one.
        published: the paper's number as printed; `None` where the paper gives none.
    """

    label: str
    ours: float
    interval: tuple[float, float] | None = None
    published: float | None = None

    @classmethod
    def mean(cls, label: str, values: Any, published: float | None = None) -> "Row":
        """The mean of values by seed, with its interval."""
        found = mean_effect(values)
        return cls(label, found.effect, found.interval, published)


@dataclass(frozen=True)
class Control:
    """A second comparison that decides how the first one may be read.

    Args:
        question: what the control rules out, as a statement.
        status: whether that statement is supported, refuted or undecided.
        effect: the control's effect in the claim's unit.
        interval: its confidence interval.
    """

    question: str
    status: Status
    effect: float
    interval: tuple[float, float]

    @classmethod
    def above(cls, question: str, comparison: Comparison, margin: float = 0.0) -> "Control":
        """Whether an effect exceeds `margin`."""
        status = greater(comparison, margin)
        return cls(question, status, comparison.effect, comparison.interval)


@dataclass(frozen=True)
class Finding:
    """What an experiment found out.

    Args:
        status: "supported", "refuted" or "undecided".
        comparison: effect, confidence interval, number of seeds.
        margin: the difference that counts, in `unit`.
        unit: the effect's unit, e.g. "F1 points".
        rows: our numbers beside the paper's.
        controls: the comparisons that guard the reading.
        note: what a reader must know, one or two sentences.
        series: what the figures draw; JSON types only.
        test: what "supported" means: the interval lies above `margin` ("greater"), within
            plus or minus `margin` ("same"), or below it ("below").
    """

    status: Status
    comparison: Comparison
    margin: float
    unit: str
    rows: tuple[Row, ...] = ()
    controls: tuple[Control, ...] = ()
    note: str = ""
    series: Mapping[str, Any] = field(default_factory=dict)
    test: Literal["greater", "same", "below"] = "greater"


@dataclass(frozen=True)
class Lab:
    """Everything an experiment may use; claims have no other input.

    Args:
        budget: amounts.
        key: JAX random key.
        data: the data set, of the type that the paper's claims document.
        recall: `recall(name, compute)` returns what `compute()` returned under that name before
            (JSON types); the default forgets nothing within one lab and nothing beyond.
        fault: name of the planted fault to commit, `None` for an honest check.
    """

    budget: Budget
    key: Array
    data: Any
    recall: Recall
    fault: str | None = None


@dataclass(frozen=True)
class Verdict:
    """The answer to a claim, complete enough to be quoted.

    Args:
        claim: `paper/name` of the claim.
        finding: status, effect, interval, seeds, rows, controls.
        budget: the budget's name.
        data: the data set's own description, which says whether it is real or simulated.
        seconds: wall-clock seconds that the check took.
    """

    claim: str
    finding: Finding
    budget: str
    data: str
    seconds: float

    @property
    def status(self) -> Status:
        """Short for `finding.status`."""
        return self.finding.status

    def to_json(self) -> dict[str, Any]:
        """The verdict as JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Verdict":
        """The inverse of :meth:`to_json`."""
        found = dict(stored["finding"])
        found["comparison"] = Comparison(**_pairs(found["comparison"]))
        found["rows"] = tuple(Row(**_pairs(row)) for row in found["rows"])
        found["controls"] = tuple(Control(**_pairs(c)) for c in found["controls"])
        return cls(**{**stored, "finding": Finding(**found)})

    def __str__(self) -> str:
        found, (low, high) = self.finding, self.finding.comparison.interval
        return (
            f"{self.claim}: {found.status} "
            f"(effect {found.comparison.effect:.3g} {found.unit}, 95 % [{low:.3g}, {high:.3g}], "
            f"margin {found.margin:g}, {found.comparison.seeds} seeds, {self.budget}, "
            f"{self.data}, {self.seconds:.1f} s)"
        )


def _pairs(stored: Mapping[str, Any]) -> dict[str, Any]:
    """JSON knows no tuples: intervals come back as lists."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in stored.items()}


@dataclass(frozen=True)
class Claim:
    """A statement of a paper that can be checked.

    Args:
        paper: short name of the paper, e.g. "qttention".
        name: short name of the claim within the paper.
        statement: what is claimed, one sentence with its numbers.
        source: citation and place; "ours" where the paper does not state it.
        published: what the paper reports, with its protocol.
        differs: how our protocol differs from the paper's.
        experiment: from a lab to a finding.
        simulate: makes the embedded data set that is used when no data is given.
        data: name of the public data set the claim is about, `None` if it needs none.
        faults: planted faults by name; each must flip the verdict, and says how it is planted.
    """

    paper: str
    name: str
    statement: str
    source: str
    published: str
    differs: str
    experiment: Callable[[Lab], Finding]
    simulate: Callable[[], Any]
    data: str | None = None
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """`paper/name`, unique over all claims."""
        return f"{self.paper}/{self.name}"

    def check(
        self,
        budget: Budget,
        *,
        key: Array,
        data: Any = None,
        recall: Recall | None = None,
        fault: str | None = None,
    ) -> Verdict:
        """Run the experiment and judge the claim.

        Args:
            budget: how much work to spend.
            key: JAX random key; the same key gives the same verdict.
            data: the data set; by default the embedded simulation.
            recall: memory for partial results, see :class:`Lab`.
            fault: name of a planted fault, to see that the check can fail.

        Returns:
            The verdict.

        Raises:
            ValueError: for a fault this claim does not know.
        """
        if fault is not None and fault not in self.faults:
            raise ValueError(f"{self.id} knows the faults {sorted(self.faults)}, got {fault!r}")
        data = self.simulate() if data is None else data
        start = time.perf_counter()
        lab = Lab(budget, key, data, recall or remember(), fault)
        finding = self.experiment(lab)
        return Verdict(self.id, finding, budget.name, str(data), time.perf_counter() - start)


def no_data() -> str:
    """What claims that need no data are given instead: their `simulate`."""
    return "no data needed"


def remember() -> Recall:
    """A memory that lasts as long as the function it returns."""
    kept: dict[str, Any] = {}

    def recall(name: str, compute: Callable[[], Any]) -> Any:
        if name not in kept:
            kept[name] = compute()
        return kept[name]

    return recall
