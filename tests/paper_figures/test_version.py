import importlib
from itertools import count

import pytest

from paper_figures.version import code_version, modules

FILES = {
    "__init__.py": "from tree.used import Used as Used\nfrom tree.unused import other as other\n",
    "used.py": "from tree import deep\n\nclass Used:\n    size = deep.SIZE\n",
    "unused.py": "other = 1\n",
    "deep.py": "SIZE = 3\n",
    "sub/__init__.py": "from tree.sub.inner import inner as inner\n",
    "sub/inner.py": "def inner():\n    return 1\n",
    "sub/outer.py": "outer = 1\n",
}
names = (f"tree{i}" for i in count())


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A package of a name never used before, since Python remembers where packages are."""
    name = next(names)
    for path, text in FILES.items():
        target = tmp_path / name / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace("tree", name))
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    return tmp_path / name


def counted(tree, claim):
    (tree / "claim.py").write_text(claim.replace("tree", tree.name))
    found = modules(f"{tree.name}.claim", (tree.name,))
    return {name.partition(".")[2] for name in found} - {"claim"}


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("from tree import Used\n", {"used", "deep"}),
        ("import tree as t\n\nx = t.Used.size\n", {"used", "deep"}),
        ("import tree as t\n\ny = t.sub.inner()\n", {"sub.inner"}),
        ("import tree.sub.outer\n\ny = tree.sub.outer.outer\n", {"sub.outer"}),
        ("from tree.sub import outer\n", {"sub.outer"}),
        ("from . import deep\n", {"deep"}),
        ("from .sub import inner\n", {"sub.inner"}),
        ("def f():\n    from tree.unused import other\n    return other\n", {"unused"}),
        ("import tree as t\n\nprint(t)\n", {"", "used", "deep", "unused"}),
        ("from tree import *\n", {"", "used", "deep", "unused"}),
        ("import numpy\n", set()),
    ],
)
def test_counts_what_is_used_and_nothing_else(tree, claim, expected):
    assert counted(tree, claim) == expected


def version(tree):
    return code_version(f"{tree.name}.claim", (tree.name,))


@pytest.mark.parametrize(
    ("path", "text", "same"),
    [
        ("deep.py", "SIZE = 4\n", False),
        ("unused.py", "other = 2\n", True),
        ("__init__.py", "from tree.used import Used as Used\nnew = 1\n", True),
        ("deep.py", '"""A docstring."""\n\nSIZE = 3  # and a comment\n', True),
    ],
)
def test_changes_with_the_code_that_is_used_only(tree, path, text, same):
    counted(tree, "from tree import Used\n")
    before = version(tree)
    (tree / path).write_text(text.replace("tree", tree.name))
    assert (version(tree) == before) is same


def test_keeps_a_text_that_is_no_docstring(tree):
    counted(tree, "x = 'a'\n")
    before = version(tree)
    counted(tree, "x = 'b'\n")
    assert version(tree) != before


def test_real_claims_rest_on_the_claim_file():
    assert "theory.claims.statistics" in modules("theory.claims.claim")


def test_a_module_without_source_is_refused():
    with pytest.raises(ValueError, match=r"no source file for module 'nowhere\.claims'"):
        code_version("nowhere.claims")
