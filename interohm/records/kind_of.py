"""Classification of a crystal as electrode or insulator, by its formula alone.

A rule of thumb: a compound is an electrode if it can give and take electrons as its ions leave and
enter, that is if a transition metal in it has a partly filled d shell, or if it has no anion.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

#: Transition metals whose d shell is partly filled in the compounds that they are found in.
_OPEN_SHELL = frozenset({"Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Ru", "Rh", "Pd", "Ir", "Pt", "Re"})

#: Charges of ions without d electrons, and of ions that have one charge only.
_CHARGES = {
    **dict.fromkeys(("Li", "Na", "K", "Rb", "Cs", "Ag"), 1.0),
    **dict.fromkeys(("Mg", "Ca", "Sr", "Ba", "Zn", "Cd"), 2.0),
    **dict.fromkeys(("B", "Al", "Ga", "In", "Sc", "Y", "La", "Nd", "Gd", "Lu"), 3.0),
    **dict.fromkeys(("Si", "Ge", "Sn", "Ti", "Zr", "Hf"), 4.0),
    **dict.fromkeys(("P", "As", "Sb", "V", "Nb", "Ta"), 5.0),
    **dict.fromkeys(("Mo", "W"), 6.0),
    **dict.fromkeys(("O", "S", "Se", "Te"), -2.0),
    **dict.fromkeys(("F", "Cl", "Br", "I"), -1.0),
    "N": -3.0,
}

#: Metals of the table above that a compound may hold with d electrons, too.
_REDUCIBLE = frozenset({"Ti", "V", "Nb", "Mo", "W"})

#: An electrode without any of them is an alloy, or holds ions between layers of an element.
ANIONS = frozenset({"O", "S", "Se", "Te", "F", "Cl", "Br", "I", "N", "H", "P", "As"})

#: Of all atoms: less of an open-shell metal is a dopant.
_DOPANT_SHARE = 0.03

#: Charge per atom that a formula may lack, for rounded occupancies.
_CHARGE_TOLERANCE = 0.03

Kind = Literal["metal", "insulator"]


def kind_of(amounts: Mapping[str, float], mobile_ion: str) -> tuple[Kind, str]:
    """Return the kind of record that a formula asks for, and why.

    Parameters
    ----------
    amounts : mapping
        Amounts of each element, in any unit.
    mobile_ion : str
        Its symbol.
    """
    total = sum(amounts.values())
    share = {symbol: amount / total for symbol, amount in amounts.items()}
    if not ANIONS & set(share):
        return "metal", "it has no anion: an alloy or an intercalation compound of an element"
    open_shell = [
        symbol
        for symbol in share
        if symbol in _OPEN_SHELL and symbol != mobile_ion and share[symbol] >= _DOPANT_SHARE
    ]
    if open_shell:
        return "metal", f"the d shell of {' and '.join(open_shell)} is partly filled"
    reducible = [symbol for symbol in share if symbol in _REDUCIBLE]
    if reducible and set(share) <= set(_CHARGES):
        excess = sum(_CHARGES[symbol] * part for symbol, part in share.items())
        if excess > _CHARGE_TOLERANCE:
            return "metal", f"{' and '.join(reducible)} must be reduced to balance its charges"
    return "insulator", "no transition metal in it has a partly filled d shell"
