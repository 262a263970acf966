"""The version of the code that a claim rests on: a hash that follows its imports, and no others.

Names are followed through the re-exports of a package's `__init__`: `neurons.Dense` counts the file
that defines `Dense`, not every file that `neurons/__init__.py` mentions. Comments, docstrings and
layout do not count, since they cannot change a result. Imports made by name at run time
(`importlib.import_module`) are not seen.
"""

import ast
import hashlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

ROOTS = ("neurons", "theory")


def code_version(module: str, roots: tuple[str, ...] = ROOTS) -> str:
    """Hash the code of a module and of all that it imports from `roots`, transitively.

    Args:
        module: full name, e.g. "theory.claims.qttention".
        roots: top-level packages whose files count; the module's own always counts.

    Returns:
        SHA-256, 64 hexadecimal digits.

    Raises:
        ValueError: for a module that has no source file.
    """
    sources = _reachable(module, (*roots, module.partition(".")[0]))
    digest = hashlib.sha256()
    for name in sorted(sources):
        digest.update(f"{name}\0{sources[name].meaning}\0".encode())
    return digest.hexdigest()


def modules(module: str, roots: tuple[str, ...] = ROOTS) -> tuple[str, ...]:
    """Names of the modules that :func:`code_version` counts, sorted."""
    return tuple(sorted(_reachable(module, (*roots, module.partition(".")[0]))))


class _Source:
    """One parsed file."""

    def __init__(self, module: str, path: Path) -> None:
        self.module = module
        self.package = path.name == "__init__.py"
        self.tree = ast.parse(path.read_text(encoding="utf-8"), filename=path.name)

    @cached_property
    def meaning(self) -> str:
        """The code without comments, docstrings and layout."""
        tree = ast.parse(ast.unparse(self.tree))
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list) and body and _is_text(body[0]):
                body[:1] = [] if len(body) > 1 else [ast.Pass()]
        return ast.unparse(tree)

    @cached_property
    def bindings(self) -> Mapping[str, list[tuple[str, tuple[str, ...]]]]:
        """For each imported name the module it comes from, and the attributes taken of it."""
        found: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        for node in ast.walk(self.tree):
            for local, module, chain in self._imports(node):
                found.setdefault(local, []).append((module, chain))
        return found

    def _imports(self, node: ast.AST) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                yield alias.asname or top, alias.name if alias.asname else top, ()
        elif isinstance(node, ast.ImportFrom):
            origin = self._absolute(node)
            for alias in node.names:
                chain = () if alias.name == "*" else (alias.name,)
                yield alias.asname or alias.name, origin, chain

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.module.split(".")
        base = parts[: len(parts) - node.level + self.package]
        return ".".join([*base, *([node.module] if node.module else [])])

    def uses(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Every module and attribute chain that the code refers to."""
        seen = _Chains()
        seen.visit(self.tree)
        for local, origins in self.bindings.items():
            for module, chain in origins:
                for attributes in seen.chains.get(local, {()}):
                    yield module, (*chain, *attributes)


class _Chains(ast.NodeVisitor):
    """Collects `a.b.c` as `chains["a"] = {("b", "c")}`, longest chains only."""

    def __init__(self) -> None:
        self.chains: dict[str, set[tuple[str, ...]]] = {}

    def visit_Attribute(self, node: ast.Attribute) -> None:
        attributes: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            attributes.insert(0, inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name):
            self.chains.setdefault(inner.id, set()).add(tuple(attributes))
        else:
            self.visit(inner)

    def visit_Name(self, node: ast.Name) -> None:
        self.chains.setdefault(node.id, set()).add(())


class _Library:
    """The source files below some top-level packages, parsed once."""

    def __init__(self, roots: tuple[str, ...]) -> None:
        self._roots = set(roots)
        self._known: dict[str, _Source | None] = {}

    def source(self, module: str) -> _Source | None:
        if module not in self._known:
            path = _path(module) if module.partition(".")[0] in self._roots else None
            self._known[module] = _Source(module, path) if path else None
        return self._known[module]

    def resolve(self, module: str, chain: tuple[str, ...]) -> Iterator[str]:
        """The modules that `module.a.b` takes its code from."""
        source = self.source(module)
        if source is None:
            return
        if not source.package or not chain:
            yield module
            return
        submodule = f"{module}.{chain[0]}"
        # `from . import layer` inside the package itself binds the submodule: no re-export.
        origins = [o for o in source.bindings.get(chain[0], []) if o != (module, chain[:1])]
        if origins:
            for origin, attributes in origins:
                yield from self.resolve(origin, (*attributes, *chain[1:]))
        elif self.source(submodule):
            yield from self.resolve(submodule, chain[1:])
        else:
            yield module


def _reachable(module: str, roots: tuple[str, ...]) -> dict[str, _Source]:
    library = _Library(roots)
    if library.source(module) is None:
        raise ValueError(f"no source file for module {module!r}")
    found: dict[str, _Source] = {}
    pending = [module]
    while pending:
        name = pending.pop()
        source = library.source(name)
        if name in found or source is None:
            continue
        found[name] = source
        for origin, chain in source.uses():
            pending.extend(library.resolve(origin, chain))
    return found


def _path(module: str) -> Path | None:
    """The file of a module, found below its top-level package without importing it."""
    top, *rest = module.split(".")
    try:
        spec = find_spec(top)
    except ValueError:  # a script run as __main__ has no spec
        return None
    if spec is None:
        return None
    if not spec.submodule_search_locations:
        return Path(spec.origin) if spec.origin and not rest else None
    for folder in spec.submodule_search_locations:
        stem = Path(folder, *rest)
        for path in (stem / "__init__.py", stem.with_suffix(".py")):
            if path.is_file():
                return path
    return None


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
