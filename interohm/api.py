"""The functions of ``import interohm``: predict a contact or a cell, screen, load records."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from interohm.errors import InputError
from interohm.records import Insulator, Metal
from interohm.records.cell_config import Cell

if TYPE_CHECKING:
    from interohm.database import Database
    from interohm.prediction.measured_impedance import Measurement
    from interohm.records.interface import Interface
    from interohm.results.cell import CellResult
    from interohm.results.contact import ContactResult
    from interohm.results.dynamics import DynamicsResult
    from interohm.results.impedance import ImpedanceResult
    from interohm.results.measured_impedance import MeasuredImpedanceResult
    from interohm.results.screening import ScreeningResult
    from interohm.screening.config import ScreenConfig

Described = TypeVar("Described", bound=BaseModel)

#: How often the uncertainties of the records are drawn.
_SAMPLES = 2000


def predict_contact(
    left: str | Path | Insulator | Metal,
    right: str | Path | Insulator | Metal,
    *,
    temperature_K: float = 300.0,
    state_of_charge: float = 0.0,
    thickness_nm: float | None = None,
    barrier_eV: float | None = None,
    samples: int = _SAMPLES,
) -> ContactResult:
    """Predict the contact of two phases, as ``interohm contact`` does.

    Parameters
    ----------
    left, right : str, Path, Insulator or Metal
        Names of records (of the project's database, or shipped), paths to YAML, or records.
    temperature_K : float
        Temperature in kelvin.
    state_of_charge : float
        State of charge; 0 is discharged, a positive electrode at its highest ion content.
    thickness_nm : float, optional
        Thickness of the right insulator (otherwise the left) in nm; infinite unless given.
    barrier_eV : float, optional
        Barrier of the ion's hop across the contact in eV, if known.
    samples : int
        Number of samples of the records' uncertainties; 0 for no intervals.

    Returns
    -------
    ContactResult
        It has ``.plot()``, ``.report(path)`` and ``.to_frame()``, too.

    Raises
    ------
    InputError
        A record does not exist, or an argument has a wrong type or is out of bounds.

    Examples
    --------
    >>> import interohm
    >>> contact = interohm.predict_contact("Li", "LLZO", temperature_K=330, samples=100)
    >>> contact.resistance.limiting_step
    <LimitingStep.space_charge: 'space charge'>
    >>> print(f"{contact.potential_drop_V:.1f} V")
    1.6 V
    >>> contact.to_frame().shape[0]
    1
    """
    from interohm.prediction.contact import contact_result
    from interohm.records import BarrierEnergy, Quantity
    from interohm.records.cell_config import Contact, StateOfCharge, Temperature, Thickness

    _checked(temperature_K, Temperature, "temperature_K")
    _checked(state_of_charge, StateOfCharge, "state_of_charge")
    _check_samples(samples)
    given = Contact()
    if thickness_nm is not None:
        _checked(thickness_nm, Thickness, "thickness_nm")
    if barrier_eV is not None:
        _checked(barrier_eV, BarrierEnergy, "barrier_eV")
        given = Contact(barrier_eV=Quantity(value=barrier_eV))
    with _database() as database:
        pair = _records([left, right], ["left", "right"], database)
        interfaces = database.interfaces()
    result = contact_result(
        *pair,
        temperature_K=temperature_K,
        state_of_charge=state_of_charge,
        thickness_nm=thickness_nm,
        samples=samples,
        contact=given,
        interfaces=interfaces,
    )
    return result.with_records(*pair)


def predict_cell(
    cell: str | Path | Mapping[str, Any] | Cell,
    *,
    records: Sequence[str | Path | Insulator | Metal] | None = None,
    samples: int = _SAMPLES,
    measured_map: str | Path | None = None,
) -> CellResult:
    """Predict a cell over its state of charge, as ``interohm cell`` does.

    Parameters
    ----------
    cell : str, Path, mapping or Cell
        Path to a YAML file, the same fields as a mapping, or a parsed description.
    records : sequence of str, Path, Insulator or Metal, optional
        One record for each layer; by default those that the layers name.
    samples : int
        Number of samples of the records' uncertainties; 0 for no intervals.
    measured_map : str or Path, optional
        Measured potential map to compare with the model: CSV of nm and V.

    Returns
    -------
    CellResult
        It has ``.plot(state_of_charge)``, ``.report(path)`` and ``.to_frame()``, too.

    Raises
    ------
    InputError
        The description or a record is wrong, or an argument has a wrong type.

    Examples
    --------
    >>> import interohm
    >>> layers = [{"material": name, "thickness_nm": 2e4} for name in ("Li", "LLZO", "LiCoO2")]
    >>> described = {"name": "garnet", "states_of_charge": [0.0, 1.0], "layers": layers}
    >>> cell = interohm.predict_cell(described, samples=0)
    >>> [round(state.open_circuit_voltage_V, 2) for state in cell.states]
    [3.15, 4.16]
    >>> cell.to_frame()["state_of_charge"].tolist()
    [0.0, 1.0]
    """
    from interohm.prediction.cell import cell_result
    from interohm.prediction.kpfm import load_measured_map

    _check_samples(samples)
    if measured_map is not None and not isinstance(measured_map, str | Path):
        raise _wrong_type("measured_map", measured_map, "the path of a CSV file")
    described, materials, interfaces, where = _cell_with_records(cell, records)
    measured = None if measured_map is None else load_measured_map(Path(measured_map))
    result = cell_result(
        described,
        materials,
        samples=samples,
        interfaces=interfaces,
        measured=measured,
        where=where,
    )
    return result.with_records(described, materials)


def predict_impedance(
    cell: str | Path | Mapping[str, Any] | Cell,
    *,
    records: Sequence[str | Path | Insulator | Metal] | None = None,
    state_of_charge: float | None = None,
    temperature_K: float | None = None,
    frequency_Hz: Sequence[float] | None = None,
    samples: int = _SAMPLES,
) -> ImpedanceResult:
    """Predict the impedance of a cell, as ``interohm impedance`` does.

    Parameters
    ----------
    cell : str, Path, mapping or Cell
        Path to a YAML file, the same fields as a mapping, or a parsed description.
    records : sequence of str, Path, Insulator or Metal, optional
        One record for each layer; by default those that the layers name.
    state_of_charge : float, optional
        State of charge; 0 is discharged. Default: all of the cell's.
    temperature_K : float, optional
        Temperature in kelvin; default: that of the cell.
    frequency_Hz : sequence of float, optional
        Frequencies in Hz, ascending; default: 1e-3 to 1e7, ten per decade.
    samples : int
        Number of samples of the records' uncertainties; 0 for the nominal spectrum only.

    Returns
    -------
    ImpedanceResult
        It has ``.plot()``, ``.report(path)`` and ``.to_frame()``, too.

    Raises
    ------
    InputError
        The description or a record is wrong, or an argument has a wrong type.

    Examples
    --------
    >>> import interohm
    >>> layers = [{"material": name, "thickness_nm": 2e4} for name in ("Li", "LLZO", "Li")]
    >>> described = {"name": "symmetric", "states_of_charge": [0.0], "layers": layers}
    >>> found = interohm.predict_impedance(described, samples=0)
    >>> state = found.states[0]
    >>> abs(state.z_real_ohm_cm2[0] / state.dc_resistance_ohm_cm2 - 1) < 1e-6
    True
    """
    from interohm.prediction.impedance import at_conditions, checked_frequencies, impedance_result
    from interohm.records.cell_config import StateOfCharge, Temperature

    _check_samples(samples)
    if state_of_charge is not None:
        _checked(state_of_charge, StateOfCharge, "state_of_charge")
    if temperature_K is not None:
        _checked(temperature_K, Temperature, "temperature_K")
    frequencies = None if frequency_Hz is None else checked_frequencies(frequency_Hz)
    described, materials, interfaces, where = _cell_with_records(cell, records)
    described = at_conditions(described, state_of_charge, temperature_K)
    result = impedance_result(
        described,
        materials,
        frequency_Hz=frequencies,
        samples=samples,
        interfaces=interfaces,
        where=where,
    )
    return result.with_records(described, materials)


def predict_dynamics(
    cell: str | Path | Mapping[str, Any] | Cell,
    *,
    records: Sequence[str | Path | Insulator | Metal] | None = None,
    c_rate: float = 1.0,
    charge: bool = False,
    cut_off_V: float | None = None,
    potential_step_V: float | None = None,
    temperature_step_K: float | None = None,
    state_of_charge: float | None = None,
    temperature_K: float | None = None,
    samples: int = 100,
) -> DynamicsResult:
    """Predict a cell in time, as ``interohm dynamics`` does.

    Parameters
    ----------
    cell : str, Path, mapping or Cell
        Path to a YAML file, the same fields as a mapping, or a parsed description.
    records : sequence of str, Path, Insulator or Metal, optional
        One record for each layer; by default those that the layers name.
    c_rate : float
        Current of a run: 1 passes the capacity in one hour.
    charge : bool
        Charge instead of discharging.
    cut_off_V : float, optional
        Voltage that ends the run.
    potential_step_V, temperature_step_K : float, optional
        Give one of them for the space charges after this step instead of a run.
    state_of_charge : float, optional
        State of charge of a step; default: the middle one of the cell's.
    temperature_K : float, optional
        Temperature in kelvin; default: that of the cell.
    samples : int
        Number of samples of the records' uncertainties in a run; 0 for the nominal run only.

    Returns
    -------
    DynamicsResult
        It has ``.report(path)`` and ``.to_frame()``, too.

    Raises
    ------
    InputError
        The description or a record is wrong, or an argument has a wrong type.

    Examples
    --------
    >>> import interohm
    >>> layers = [{"material": name, "thickness_nm": 2e3} for name in ("Li", "LiPON", "LiCoO2")]
    >>> run = interohm.predict_dynamics({"name": "film", "layers": layers}, samples=0)
    >>> run.galvanostatic.ended_by
    'surface'
    """
    from interohm.prediction.dynamics import chosen_step, dynamics_result
    from interohm.prediction.impedance import at_conditions
    from interohm.records.cell_config import StateOfCharge, Temperature

    _check_samples(samples)
    if state_of_charge is not None:
        _checked(state_of_charge, StateOfCharge, "state_of_charge")
    if temperature_K is not None:
        _checked(temperature_K, Temperature, "temperature_K")
    step, by = chosen_step(
        potential_step_V,
        temperature_step_K,
        state_of_charge,
        ("potential_step_V", "temperature_step_K", "state_of_charge"),
    )
    described, materials, interfaces, where = _cell_with_records(cell, records)
    described = at_conditions(described, state_of_charge, temperature_K)
    result = dynamics_result(
        described,
        materials,
        c_rate=c_rate,
        direction="charge" if charge else "discharge",
        cut_off_V=cut_off_V,
        step=step,
        by=by,
        samples=samples,
        interfaces=interfaces,
        where=where,
    )
    return result.with_records(described, materials)


def measured_impedance(
    cell: str | Path | Mapping[str, Any] | Cell,
    measured: Sequence[Measurement],
    *,
    records: Sequence[str | Path | Insulator | Metal] | None = None,
    fit: Sequence[str] = (),
    save_records: str | Path | None = None,
) -> MeasuredImpedanceResult:
    """Test measured spectra of a cell, compare them with the prediction, and fit the records.

    As ``interohm impedance --measured`` does.

    Parameters
    ----------
    cell : str, Path, mapping or Cell
        Path to a YAML file, the same fields as a mapping, or a parsed description.
    measured : sequence of Measurement
        Spectra (`interohm.read_spectrum`) with their temperature and state of charge, where these
        are not the cell's; fitted together.
    records : sequence of str, Path, Insulator or Metal, optional
        One record for each layer; by default those that the layers name.
    fit : sequence of str
        Numbers to fit: ``RECORD:FIELD``, a field's name, or ``all``.
    save_records : str or Path, optional
        Folder for new versions of the fitted records.

    Returns
    -------
    MeasuredImpedanceResult
        It has ``.plot()`` and ``.report(path)``, too.

    Raises
    ------
    InputError
        The description, a record or a name is wrong, fewer than half of a spectrum's points can be
        used, or a file of ``save_records`` exists.
    """
    from interohm.prediction.impedance_fit import write_updated_records
    from interohm.prediction.measured_impedance import Measurement
    from interohm.prediction.measured_impedance import measured_impedance as found_for

    if isinstance(measured, Measurement) or not all(
        isinstance(one, Measurement) for one in measured
    ):
        raise InputError(
            "these are not measurements",
            where="measured",
            fix="give a list: [interohm.Measurement(interohm.read_spectrum(path, area_cm2=A))]",
        )
    described, materials, interfaces, where = _cell_with_records(cell, records)
    found = found_for(described, materials, measured, fit=fit, interfaces=interfaces, where=where)
    if save_records is not None and found.fit is not None:
        write_updated_records(save_records, found.fit, found.used, materials)
    return found.result.with_records(described, materials)


def screen(
    screening: str | Path | Mapping[str, Any] | ScreenConfig,
    *,
    folder: str | Path | None = None,
    workers: int | None = None,
    table: bool = False,
    progress: Callable[[str, int], Callable[[int], Any]] | None = None,
) -> ScreeningResult:
    """Screen every negative electrode with every electrolyte and positive electrode.

    An interrupted screening continues where it stopped, as with ``interohm screen``.

    Parameters
    ----------
    screening : str, Path, mapping or ScreenConfig
        Path to a YAML file, the same fields as a mapping, or a parsed description.
    folder : str or Path, optional
        Folder for screenings; default: ``screens`` in the project folder.
    workers : int, optional
        Threads; default: one per core.
    table : bool
        Also write all matching cells to Parquet.
    progress : callable, optional
        Called with the name of each stage and its number of steps; returns what is called with how
        many more steps are done.

    Raises
    ------
    InputError
        The description or a record is wrong, or an argument has a wrong type.

    Examples
    --------
    >>> import interohm
    >>> described = {
    ...     "name": "two",
    ...     "negative_electrodes": ["Li"],
    ...     "electrolytes": ["LLZO", "LiPON"],
    ...     "positive_electrodes": ["LiCoO2"],
    ...     "samples": 0,
    ... }
    >>> found = interohm.screen(described, folder="screens")
    >>> len(found.states[0].best["resistance_ohm_cm2"])
    2
    """
    from interohm.screening.config import ScreenConfig, load_screen
    from interohm.screening.run import run_screening
    from interohm.screening.screening import open_screening

    described, base, where = _described(
        screening, ScreenConfig, load_screen, "screening", "a path or a mapping"
    )
    if workers is not None and (not isinstance(workers, int) or workers < 1):
        raise _wrong_type("workers", workers, "a positive whole number")
    if folder is not None and not isinstance(folder, str | Path):
        raise _wrong_type("folder", folder, "a path")
    opened = open_screening(
        described,
        folder=None if folder is None else Path(folder),
        relative_to=base,
        workers=workers,
        table=table,
        where=where,
    )
    return run_screening(opened, progress or _unseen)


def load_record(name_or_path: str | Path) -> Insulator | Metal:
    """Return the record of a phase.

    Parameters
    ----------
    name_or_path : str or Path
        A name (of the project's database, or shipped), or a path to YAML.

    Raises
    ------
    InputError
        There is no such record, or it is not valid.

    Examples
    --------
    >>> import interohm
    >>> llzo = interohm.load_record("LLZO")
    >>> llzo.mobile_ion, llzo.band_gap_eV.value
    ('Li', 6.0)
    """
    if not isinstance(name_or_path, str | Path):
        raise _wrong_type("name_or_path", name_or_path, "a record's name or a path to YAML")
    with _database() as database:
        [found] = _records([name_or_path], ["record"], database)
    return found


def shipped_records() -> list[str]:
    """Return the names of the records that come with the program.

    Examples
    --------
    >>> import interohm
    >>> {"Li", "LLZO", "LiCoO2"} <= set(interohm.shipped_records())
    True
    """
    from interohm.records.shipped import shipped_names

    return shipped_names()


def _described(
    given: Any, kind: type[Described], load: Callable[[Path], Described], name: str, wanted: str
) -> tuple[Described, Path, str]:
    """Return a description, the folder that it stands in, and what errors call it."""
    from interohm.yaml_io import validated

    if isinstance(given, str | Path):
        path = Path(given).expanduser()
        return load(path), path.parent, str(given)
    if isinstance(given, kind):
        return given, Path(), name
    if isinstance(given, Mapping):
        return validated(kind, dict(given), where=name), Path(), name
    raise _wrong_type(name, given, wanted)


def _cell_with_records(
    cell: Any, records: Sequence[Any] | None
) -> tuple[Cell, list[Insulator | Metal], list[Interface], str]:
    """Return a cell, its records, the database's interfaces, and what errors call the cell."""
    from interohm.records.cell_config import load_cell

    described, folder, where = _described(
        cell, Cell, load_cell, "cell", "a path, a mapping or an interohm.Cell"
    )
    names = [f"{where}: layers[{index}].material" for index in range(len(described.layers))]
    given: Sequence[Any] = [layer.material for layer in described.layers]
    if records is not None:
        if isinstance(records, str) or not isinstance(records, Sequence):
            raise _wrong_type("records", records, "a list with a record for each layer")
        if len(records) != len(names):
            raise InputError(
                f"{len(records)} records for {len(names)} layers",
                where="records",
                fix="give one for each layer",
            )
        given, folder = records, Path()
        names = [f"records[{index}]" for index in range(len(names))]
    with _database() as database:
        return described, _records(given, names, database, folder), database.interfaces(), where


def _database() -> Any:
    from interohm.database import Database

    return Database.open()


def _records(
    given: Sequence[Any], where: Sequence[str], database: Database, folder: Path | None = None
) -> list[Insulator | Metal]:
    """Return records by name, by path, or as they are."""
    from interohm.lookup import find_material_at

    found: list[Insulator | Metal] = []
    for one, location in zip(given, where, strict=True):
        if isinstance(one, Insulator | Metal):
            found.append(one)
            continue
        if not isinstance(one, str | Path):
            raise _wrong_type(location, one, "a record, its name or a path to YAML")
        known = find_material_at(location, str(one), relative_to=folder, database=database)
        if known.hides_shipped:
            warnings.warn(
                f"{one} is the record in {database.location}; it hides the shipped {one}",
                stacklevel=3,
            )
        if (text := known.taken_text) is not None:
            warnings.warn(text, stacklevel=3)
        found.append(known.material)
    return found


def _checked(value: Any, kind: Any, where: str) -> None:
    from pydantic import TypeAdapter

    from interohm.yaml_io import validated_as

    validated_as(TypeAdapter(kind), value, where=where)


def _check_samples(samples: Any) -> None:
    if not isinstance(samples, int) or isinstance(samples, bool) or samples < 0:
        raise _wrong_type("samples", samples, "a whole number, 0 for no uncertainties")


def _wrong_type(where: str, value: Any, wanted: str) -> InputError:
    return InputError(f"{value!r:.60} does not fit here", where=where, fix=f"give {wanted}")


def _unseen(stage: str, steps: int) -> Callable[[int], Any]:
    return lambda more: None
