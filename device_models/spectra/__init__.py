"""What measured impedance spectra say: whether to trust them, and which processes they show."""

from .kramers_kronig import KramersKronig, kramers_kronig

__all__ = ["KramersKronig", "kramers_kronig"]
