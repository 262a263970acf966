"""SAL-CNN: made-up predictions are judged, every fault flips a verdict, and real ones are run."""

import jax
import numpy as np
import pytest

from neurons.data import available
from neurons.data.life_labels import linear_label
from neurons.data.phm2012 import BEARINGS, phm2012
from neurons.data.phm2012_challenge import OFFICIAL_RUL, RECORDS, TEST, counted_rul, truncation
from neurons.data.simulated_lives import simulated_lives
from theory.claims import Budget, claims
from theory.claims import sal_cnn_bands as bands
from theory.claims import sal_cnn_experiments as experiments
from theory.claims import sal_cnn_networks as networks
from theory.claims import sal_cnn_study as study
from theory.claims.claim import Lab, remember
from theory.claims.sal_cnn_networks import ARMS, BANDS, CNN, HIGH, LOW, MULTI, SAL

BUDGET = Budget("test", seeds=3, effort=0.001, data=0.05)
DATA = simulated_lives(bearings=BEARINGS, records=40)
FAULTS = {**experiments.FAULTS, **bands.FAULTS}


def lab(fault=None, data=DATA):
    return Lab(BUDGET, jax.random.key(0), data, remember(), fault)


class World:
    """How far from the truth every network's answers lie, in shares of life."""

    def __init__(self):
        self.off = dict.fromkeys(ARMS, 0.10) | {SAL: 0.02}
        self.harm = dict.fromkeys(BANDS, 0.0) | {LOW: 0.08, HIGH: 0.01}
        self.share = {LOW: 0.5, HIGH: 0.1}
        self.times = {SAL: 1.0, MULTI: 1.3}  # of the remaining life in s

    def unit(self, lab, arm, bearing, seed):
        wobble = 0.001 * np.sin(seed + BEARINGS.index(bearing))
        left = study.truth(lab)[bearing]
        away = np.where(left > 0.5, -1, 1)  # towards the middle: no answer leaves [0, 1]
        found = {"share": (left + away * (self.off[arm] + wobble)).tolist(), "loss": 0.01}
        hidden = {b: left + away * (self.off[arm] + more) for b, more in self.harm.items()}
        rows = np.repeat([self.share.get(band, 0.2) for band in BANDS], 8) / 8
        return found | {"hidden": hidden, "attribution": (rows / rows.sum()).tolist()}

    def official(self, lab, arm, seed):
        times = self.times.get(arm, 0.2) + 0.001 * np.sin(seed)
        known = dict(zip(study.tested(lab), bands.actual(lab), strict=True))
        return {name: float(times * seconds) for name, seconds in known.items()}


@pytest.fixture
def world(monkeypatch):
    """A world in which everything that the paper says is so."""
    made = World()
    monkeypatch.setattr(study, "unit", made.unit)
    monkeypatch.setattr(study, "official", made.official)
    monkeypatch.setattr(study, "_baseline", lambda data, name: far(data))
    return made


def far(data):
    return {life.name: np.zeros(len(life.signals)) for life in data.lives}


def experiment(name):
    return getattr(bands if name in bands.FAULTS else experiments, name)


REFUTES = [
    *((name, "constant") for name in experiments.FAULTS),
    ("low_band_matters_more", "swapped"),
    ("better_score", "late"),
]


@pytest.mark.parametrize(("name", "fault"), REFUTES)
def test_what_holds_is_supported_and_a_fault_refutes_it(name, fault, world):
    assert experiment(name)(lab()).status == "supported"
    assert experiment(name)(lab(fault)).status == "refuted"


RESCUES = [
    *((name, "perfect") for name in experiments.FAULTS),
    ("low_band_matters_more", "low"),
    ("better_score", "perfect"),
]


@pytest.mark.parametrize(("name", "fault"), RESCUES)
def test_what_does_not_hold_is_refuted_and_a_fault_supports_it(name, fault, world, monkeypatch):
    world.off[SAL] = 0.3
    monkeypatch.setattr(study, "_baseline", lambda data, name: near(data))
    world.harm |= {LOW: 0.0, HIGH: 0.1}
    world.times |= {SAL: 1.3, MULTI: 0.9}
    assert experiment(name)(lab()).status == "refuted"
    assert experiment(name)(lab(fault)).status == "supported"


def near(data):
    return {life.name: linear_label(life) * 0.9 + 0.05 for life in data.lives}


def test_every_fault_is_planted_somewhere():
    declared = {(name, fault) for name, faults in FAULTS.items() for fault in faults}
    assert {*REFUTES, *RESCUES} == declared
    found = claims("sal_cnn")
    assert len({claim.id for claim in found}) == len(found) == len(FAULTS)
    for claim in found:
        assert set(claim.faults) == set(FAULTS[claim.experiment.__name__])
        assert claim.data == "phm2012"
        assert "every tenth record" in claim.differs


def test_ten_of_seventeen_are_not_eleven(world, monkeypatch):
    for count, status in ((10, "refuted"), (11, "supported")):
        worse = dict.fromkeys(BEARINGS[count:], 0.2)

        def unit(lab, arm, bearing, seed, worse=worse):
            found = world.unit(lab, arm, bearing, seed)
            left = study.truth(lab)[bearing]
            return found | {"share": left + 0.2} if arm == SAL and bearing in worse else found

        monkeypatch.setattr(study, "unit", unit)
        assert experiments.better_on_eleven(lab()).status == status


def test_a_gain_below_2_8_points_refutes_2_8(world):
    world.off[MULTI] = world.off[SAL] + 0.027
    assert experiments.improves_by_2_8(lab()).status == "refuted"
    world.off[MULTI] = world.off[SAL] + 0.029
    assert experiments.improves_by_2_8(lab()).status == "supported"


def test_errors_are_means_of_absolute_values_in_percent_of_life(world):
    found = study.errors(lab(), CNN)
    assert found.shape == (3, 17)
    np.testing.assert_allclose(found, 10, atol=0.1)
    np.testing.assert_allclose(study.errors(lab(), CNN, power=2), 10, atol=0.1)
    np.testing.assert_allclose(bands.harm(lab(), LOW).mean(), 8, atol=0.1)
    np.testing.assert_allclose(bands.attributed(lab(), LOW), 50, atol=1e-6)


def test_series_hold_what_figures_draw(world):
    curve = experiments.improves_by_2_8(lab()).series["curves"]["Bearing1_1"]
    assert len({len(values) for values in curve.values()}) == 1
    assert curve["left"][-1] == 0
    ends = np.array([curve["low"], curve["high"]])
    assert (np.diff(ends, axis=0) >= 0).all()
    assert ends.min() >= 0
    assert ends.max() <= 100
    table = experiments.better_on_eleven(lab()).series["errors"]
    assert list(table) == [*ARMS, *study.BASELINES]
    assert len(table[SAL]["Bearing3_3"]) == 3


def test_the_constants_error_is_a_quarter_of_the_life():
    data = simulated_lives(records=800)
    found = study.errors(lab(data=data), study.CONSTANT)
    np.testing.assert_allclose(found, 25, atol=1)
    clock = study.errors(lab(data=data), study.CLOCK)
    assert clock.mean() < 15  # simulated lives differ by a fifth


def test_a_line_on_the_rms_reads_age_where_strength_tells_it():
    grows, mute = (simulated_lives(ageing=kind) for kind in ("low", "none"))
    assert study.errors(lab(data=grows), study.RMS).mean() < 16
    assert study.errors(lab(data=mute), study.RMS).mean() > 20


def test_one_entry_of_the_official_table_changes_the_score():
    life = simulated_lives(bearings=("Bearing1_3", "Bearing1_4"), records=40).lives
    whole = [type(one)(one.name, one.signals, one.index, RECORDS[one.name]) for one in life]
    data = type(DATA)("whole", tuple(whole), simulated=True)
    official, counted = (bands.actual(lab(data=data), kind) for kind in (False, True))
    assert official.tolist() == [OFFICIAL_RUL["Bearing1_3"], 339.0]
    assert counted.tolist() == [5730.0, counted_rul("Bearing1_4")]


@pytest.mark.usefixtures("standard_promotion")
def test_official_predictions_are_in_seconds_from_the_truncation_on(monkeypatch):
    """A network that always says the true share is right to the record."""

    def oracle(lab, arm, known, life, hidden=""):
        return study.truth(lab)[life.name]

    monkeypatch.setattr(networks, "trained", lambda *arguments: None)
    monkeypatch.setattr(networks, "predicted", oracle)
    data = simulated_lives(bearings=("Bearing1_1", "Bearing1_3", "Bearing1_4"), records=700)
    one = lab(data=data)
    found = study.official(one, SAL, 0)
    assert set(found) == {"Bearing1_3", "Bearing1_4"}
    for name, seconds in found.items():
        life = study.life(one, name)
        # The label is that of the last record at hand, rounded in float32.
        assert seconds == pytest.approx((life.records - truncation(life)) * 10, rel=1e-3)
    ended = {"Bearing1_1": 1.0, "Bearing1_3": 1.0, "Bearing1_4": 0.0}
    monkeypatch.setattr(
        networks, "predicted", lambda *a, **k: np.full(len(a[3].signals), ended[a[3].name])
    )
    found = study.official(lab(data=data), MULTI, 0)
    assert np.isfinite(found["Bearing1_3"])  # all that is left: long, not for ever
    assert found["Bearing1_4"] == 0


@pytest.mark.usefixtures("standard_promotion")
def test_training_never_sees_the_bearing_left_out():
    """Whatever its records are, the network and its statistics are the same."""
    lives = simulated_lives(bearings=("Bearing1_1", "Bearing1_2", "Bearing1_3"), records=120).lives
    found = []
    for loud in (1, 100):
        last = lives[2]
        other = type(last)(last.name, last.signals * np.float32(loud), last.index, last.records)
        one = lab(data=type(DATA)("made up", (*lives[:2], other), simulated=True))
        known = networks.trained(one, MULTI, lives[:2], 0)
        found.append(networks.predicted(one, MULTI, known, lives[0]))
        assert study._others(one, "Bearing1_3") == lives[:2]
    np.testing.assert_array_equal(*found)


@pytest.mark.usefixtures("standard_promotion")
def test_a_run_is_a_function_of_its_seed_and_answers_at_every_record():
    data = simulated_lives(bearings=("Bearing1_1", "Bearing1_3"), records=120)
    first, again = (study.unit(lab(data=data), MULTI, "Bearing1_3", 0) for _ in range(2))
    other = study.unit(lab(data=data), MULTI, "Bearing1_3", 1)
    assert first == again != other
    assert len(first["share"]) == len(data.lives[1].signals)
    assert all(0 <= share <= 1 for share in first["share"])


@pytest.mark.skipif(not available("phm2012"), reason="the bearings are not at hand")
def test_the_split_has_the_real_bearings():
    one = lab(data=phm2012())
    assert study.tested(one) == tuple(name for name in BEARINGS if name in TEST)
    np.testing.assert_array_equal(bands.actual(one), [OFFICIAL_RUL[name] for name in TEST])
    assert 20 < study.errors(one, study.RMS).mean() < 28
    assert study.errors(one, study.CONSTANT).mean() == pytest.approx(25, abs=0.5)
