"""What the README shows runs, and does what it says."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.mark.usefixtures("standard_promotion")
def test_snippets_run_one_after_the_other(capsys):
    snippets = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(snippets) == 12
    scope = {}
    for snippet in snippets:
        exec(compile(snippet, "README.md", "exec"), scope)
    first, last, accuracy = (float(word) for word in capsys.readouterr().out.split()[:3])
    assert last < first / 2
    assert accuracy > 0.9


def test_blocks_that_the_command_fills_are_there():
    for block in ("claims", "gallery"):
        assert README.count(f"<!-- {block}:begin -->") == README.count(f"<!-- {block}:end -->") == 1
