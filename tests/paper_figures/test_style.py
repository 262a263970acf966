import matplotlib
import pytest
from matplotlib.image import imread

from paper_figures import style


def picture():
    fig, axes = style.figure(4.0, 2.0, columns=2, sharey=True)
    style.seeds_line(axes[0, 0], [0, 1], [[1, 2], [3, 4]], label="a", colour=style.BLUE)
    style.published(axes[0, 1], [0, 1], [2, 3])
    axes[0, 0].set_xlabel("noise, dB")
    return style.Picture(fig, "A caption.")


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    for folder in ("a", "b"):
        style.save(picture(), tmp_path / folder, "x")
    for name in ("x.png", "x.pdf"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_files_have_the_asked_size_and_no_date(tmp_path):
    png, pdf = style.save(picture(), tmp_path, "x")
    assert imread(png).shape[:2] == (400, 800)
    assert pdf.read_bytes().startswith(b"%PDF")
    assert b"CreationDate" not in pdf.read_bytes()


def test_the_users_settings_neither_matter_nor_change():
    before = style.png(picture())
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        assert style.png(picture()) == before
        assert matplotlib.rcParams["font.size"] == 30
    assert matplotlib.rcParams["figure.constrained_layout.use"] is False


def test_the_mean_is_the_line_and_the_runs_are_dots():
    lines = picture().figure.axes[0].lines
    assert [list(line.get_ydata()) for line in lines] == [[1, 2], [3, 4], [2, 3]]
    assert [line.get_linestyle() for line in lines] == ["None", "None", "-"]


def test_small_pngs_stay_below_the_limit():
    made = picture()
    whole = len(style.png(made))
    assert len(style.small_png(made, whole // 2)) <= whole // 2
    with pytest.raises(ValueError, match="allowed are 10"):
        style.small_png(made, 10)
