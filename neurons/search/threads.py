"""One BLAS thread while thousands of tiny products are taken.

Handing a product of 64 x 64 numbers to two threads takes longer than the product: measured, six
times as long on an idle machine of two cores, more on a busy one.
"""

from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from threadpoolctl import ThreadpoolController


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """A context within which BLAS keeps to one thread, in the whole process."""
    return _controller().limit(limits=1, user_api="blas")
