"""`interohm impedance --measured`: measured spectra, and the records that learn from them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from interohm.cli.output import console, progress_bar, remark, shown, table
from interohm.cli.predictions import check, check_outputs
from interohm.errors import InputError

if TYPE_CHECKING:
    from interohm.prediction.measured_impedance import MeasuredCell, Measurement
    from interohm.records import Insulator, Metal
    from interohm.records.cell_config import Cell
    from interohm.results.measured_impedance import ImpedanceFit, MeasuredPoints

#: What may follow the name of a file.
_CONDITIONS = ("temperature_K", "soc", "area_cm2")


def refuse_for_measured(*, frequencies: bool, samples: bool) -> None:
    """Refuse options of a prediction that say nothing beside a measured spectrum.

    Raises
    ------
    InputError
        One of them is given.
    """
    for given, name, why in (
        (frequencies, "--frequencies", "the model is compared at the measured frequencies"),
        (samples, "--samples", "only the nominal prediction is drawn next to a measured spectrum"),
    ):
        if given:
            raise InputError(why, where=name, fix="leave it out, or predict without --measured")


def run(
    config: Path,
    measured: Sequence[str],
    *,
    area_cm2: float | None,
    soc: float | None,
    temperature: float | None,
    fit: Sequence[str],
    save_records: Path | None,
    save: bool,
    as_json: bool,
    report: Path | None,
    figure: Path | None,
) -> None:
    """Test measured spectra of a cell, lay the prediction beside them, and fit the records."""
    from interohm.cli.named_materials import find_layer_materials, known_interfaces
    from interohm.cli.output import print_json
    from interohm.prediction.measured_impedance import measured_impedance
    from interohm.records.cell_config import load_cell

    _check_options(measured, fit, save_records, save)
    check_outputs(report, figure)
    described = load_cell(config)
    measurements = [_measurement(text, area_cm2, soc, temperature) for text in measured]
    materials, notes = find_layer_materials(described, config)
    for one in measurements:
        for text in one.spectrum.remarks:
            remark(f"{one.spectrum.source}: {text}")
    with progress_bar("spectra, and the fit", len(measurements) + bool(fit)) as advance:
        found = measured_impedance(
            described,
            materials,
            measurements,
            fit=fit,
            interfaces=known_interfaces(),
            where=str(config),
            progress=advance,
        )
    for text in found.result.remarks:
        remark(text)
    if as_json:
        print_json(found.result.document())
    else:
        for spectrum in found.result.spectra:
            _print_spectrum(spectrum)
        if found.result.fit is not None:
            _print_fit(found.result.fit)
    if save_records is not None:
        _save(save_records, found, materials, described)
    if report is not None:
        from interohm.report.measured_impedance import write_measured_report

        write_measured_report(report, described, materials, found.result, remarks=notes)
        remark(f"report: {report}")
    if figure is not None:
        from interohm.report.measured_impedance_figure import write_measured_figure

        write_measured_figure(figure, found.result)
        remark(f"figure: {figure}")


def _check_options(
    measured: Sequence[str], fit: Sequence[str], save_records: Path | None, save: bool
) -> None:
    if not measured:
        raise InputError(
            "--area-cm2, --fit and --save-records belong to a measured spectrum",
            where="options",
            fix="give --measured FILE",
        )
    if save_records is not None and not fit:
        raise InputError(
            "nothing is fitted, and so no record changes",
            where="--save-records",
            fix="name the numbers to be learned: --fit FIELD",
        )
    if save:
        raise InputError(
            "measured spectra are not kept in the database",
            where="--save",
            fix="keep the JSON (--json), or new records (--save-records FOLDER)",
        )


def _measurement(
    text: str, area_cm2: float | None, soc: float | None, temperature: float | None
) -> Measurement:
    """Read ``FILE[,temperature_K=…][,soc=…][,area_cm2=…]``."""
    from interohm.measured_spectra import read_spectrum
    from interohm.prediction.measured_impedance import Measurement
    from interohm.records.cell_config import StateOfCharge, Temperature

    known = {"area_cm2": area_cm2, "soc": soc, "temperature_K": temperature}
    path = text
    while match := re.fullmatch(r"(.+),\s*(\w+)=([^,=]*)", path):
        path, name, value = match[1], match[2], match[3]
        if name not in _CONDITIONS:
            raise InputError(
                f"{name!r} is not a condition of a measurement",
                where=f"--measured {text}",
                fix=f"one of {', '.join(_CONDITIONS)}",
            )
        try:
            known[name] = float(value)
        except ValueError:
            raise InputError(
                f"{value!r} is not a number", where=f"--measured {text}", fix=f"give {name}=NUMBER"
            ) from None
    if known["soc"] is not None:
        check(known["soc"], StateOfCharge, "--soc")
    if known["temperature_K"] is not None:
        check(known["temperature_K"], Temperature, "--temperature")
    spectrum = read_spectrum(Path(path), area_cm2=known["area_cm2"])
    return Measurement(spectrum, known["temperature_K"], known["soc"])


def _print_spectrum(spectrum: MeasuredPoints) -> None:
    out = console()
    model = "predicted"
    real: Sequence[float | None] = spectrum.predicted_real_ohm_cm2
    imag: Sequence[float | None] = spectrum.predicted_imag_ohm_cm2
    if spectrum.fitted_real_ohm_cm2 is not None and spectrum.fitted_imag_ohm_cm2 is not None:
        model, real, imag = "fitted", spectrum.fitted_real_ohm_cm2, spectrum.fitted_imag_ohm_cm2
    made = table(
        "frequency (Hz)",
        "Re Z (Ω·cm²)",
        "Im Z (Ω·cm²)",
        f"{model} Re Z (Ω·cm²)",
        f"{model} Im Z (Ω·cm²)",
        "residual (%)",
        "used",
        title=f"{spectrum.source}   ({spectrum.temperature_K:g} K, state of charge "
        f"{spectrum.state_of_charge:g})",
    )
    count = len(spectrum.frequency_Hz)
    some = {round(k * (count - 1) / 10) for k in range(11)}
    bad = {place for place, usable in enumerate(spectrum.usable) if not usable}
    for place in sorted(some | bad, reverse=True):
        residual = max(abs(spectrum.residual_real[place]), abs(spectrum.residual_imag[place]))
        made.add_row(
            shown(spectrum.frequency_Hz[place], 3),
            shown(spectrum.z_real_ohm_cm2[place]),
            shown(spectrum.z_imag_ohm_cm2[place]),
            shown(real[place]),
            shown(imag[place]),
            shown(100 * residual, 2),
            "no" if place in bad else "",
        )
    out.print(made)
    out.print(spectrum.verdict)


def _print_fit(fit: ImpedanceFit) -> None:
    out = console()
    made = table(
        "number",
        "before#",
        "±#",
        "after#",
        "±#",
        "variance left (%)",
        "",
        title="learned from the spectra",
    )
    for one in fit.fields:
        made.add_row(
            f"{one.record}:{one.field}",
            shown(one.prior_value),
            shown(one.prior_uncertainty, 2),
            shown(one.value) if one.learned else "",
            shown(one.uncertainty, 2) if one.learned else "",
            shown(100 * one.variance_share, 3),
            "" if one.learned else "not determined",
        )
    out.print(made)
    for one in fit.fields:
        if one.learned and one.field != "barrier_eV" and one.record in fit.contact_barrier_eV:
            value, uncertainty = fit.contact_barrier_eV[one.record]
            out.print(f"barrier of the hop across {one.record}: {value:.3f} ± {uncertainty:.3f} eV")
    asked = {f"{one.record}:{one.field}" for one in fit.fields}
    for direction in fit.undetermined:
        if len(direction.loadings) > 1 and asked & direction.loadings.keys():
            parts = [f"{value:+.2g} {name}" for name, value in direction.loadings.items()]
            out.print(
                f"not determined together: {', '.join(parts)} (in standard deviations of the prior)"
            )
    out.print(
        f"reduced chi² {fit.chi2_reduced:.3g}; {fit.effective_samples:.0f} of {fit.samples} "
        "reweighted samples are effective"
    )


def _save(
    folder: Path, found: MeasuredCell, materials: Sequence[Insulator | Metal], cell: Cell
) -> None:
    from interohm.prediction.contact_barrier import pair_name
    from interohm.prediction.impedance_fit import write_updated_records

    assert found.fit is not None
    files, remarks = write_updated_records(folder, found.fit, found.used, materials)
    for path in files:
        remark(f"record: {path}")
    for text in remarks:
        remark(text)
    learned = {one.record for one in found.fit.updates if one.learned and one.field == "barrier_eV"}
    for place, contact in enumerate(cell.contacts or []):
        pair = pair_name(materials[place], materials[place + 1])
        if pair in learned and contact.barrier_eV is not None:
            remark(
                f"{pair}: the cell states a barrier, which takes precedence over the new file: "
                f"remove contacts[{place}].barrier_eV from the cell, or write the new one there"
            )
    if not files:
        remark("nothing was learned: no record is written")
