"""One small module per engine behind one protocol."""

from __future__ import annotations

from interohm.errors import InputError

from .protocol import Engine


def engine_named(name: str) -> Engine:
    """Return an engine by its name.

    Raises
    ------
    InputError
        There is no engine of that name.
    """
    from .gpaw import GpawEngine
    from .vasp import VaspEngine

    engines: dict[str, Engine] = {GpawEngine.name: GpawEngine(), VaspEngine.name: VaspEngine()}
    if name not in engines:
        raise InputError(
            f"there is no engine {name!r}", where="engine", fix=f"one of {', '.join(engines)}"
        )
    return engines[name]
