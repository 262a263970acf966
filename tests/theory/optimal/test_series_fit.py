import numpy as np
import pytest

from theory.optimal.series import Series
from theory.optimal.series_fit import fit_series


@pytest.fixture
def series():
    rng = np.random.default_rng(0)
    return Series.of(np.linspace(0, 2, 50), rng.normal(size=50))


@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("continuous", [True, False])
def test_every_norm_and_kind_is_fitted_and_certified(series, norm, continuous):
    fit = fit_series(series, 3, norm, continuous)
    assert fit.norm == norm
    assert fit.segments == 3
    assert fit.function.continuous or not continuous
    assert fit.knots[[0, -1]].tolist() == [0, 2]
    assert 0 < fit.lower_bound <= fit.error
    assert fit.error == pytest.approx(series.error(fit.function, int(norm[1])))
    again = fit_series(series, 3, norm, continuous)
    assert (again.knots == fit.knots).all()
    assert again.error == fit.error


def test_one_segment_is_the_regression_line(series):
    line = np.polynomial.Polynomial.fit(series.x, series.y, 1)
    for continuous in (True, False):
        np.testing.assert_allclose(
            fit_series(series, 1, "l2", continuous)(series.x), line(series.x), atol=1e-12
        )


def test_other_norms_are_refused(unchecked, series):
    with pytest.raises(ValueError, match='must be "l2" or "l1" here, got \'linf\''):
        fit_series(series, 2, "linf")
