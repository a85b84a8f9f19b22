"""Base of all results: read from plain JSON values, and written as such."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from typing_extensions import TypedDict

from interohm.errors import InputError

Side: TypeAlias = Literal["left", "right"]

#: A curve along x, temperature or current; null where a phase has none, or it is no number.
Curve: TypeAlias = list[float | None]


#: What tables call the interval of the samples.
INTERVAL = "5 to 95 %"


class Quantiles(TypedDict):
    """The 5, 50 and 95 % quantiles of the samples of the records' uncertainties.

    Parameters
    ----------
    p05 : float
        5 % of the samples lie below.
    p50 : float
        Median of the samples.
    p95 : float
        95 % of the samples lie below.
    """

    p05: float
    p50: float
    p95: float


class CurveQuantiles(TypedDict):
    """Quantiles of the samples point by point along a curve.

    Parameters
    ----------
    p05 : list of float
        5 % of the samples lie below, at each point.
    p50 : list of float
        Median of the samples at each point.
    p95 : list of float
        95 % of the samples lie below, at each point.
    """

    p05: Curve
    p50: Curve
    p95: Curve


class BothSides(TypedDict, total=False):
    """One number for each side of a contact; null for a side that has none.

    Parameters
    ----------
    left, right : float or None
        Number of this side.
    """

    left: float | None
    right: float | None


class QuantilesOfSides(TypedDict):
    """Quantiles for each side of a contact; null for a side that has none.

    Parameters
    ----------
    left, right : Quantiles or None
        Quantiles of this side.
    """

    left: Quantiles | None
    right: Quantiles | None


class Result(BaseModel):
    """A part of a result. What an earlier version did not say is None.

    Fields of a later version are kept, too, so that a document that is read and written again
    loses nothing.
    """

    model_config = ConfigDict(extra="allow", defer_build=True, populate_by_name=True)

    @classmethod
    def read(cls, document: Self | Mapping[str, Any], *, where: str = "result") -> Self:
        """Return a document of this or an earlier version as a result; a result as it is.

        Parameters
        ----------
        document : mapping
            Plain JSON values, as the database and ``--json`` give them.
        where : str
            Place to name in an error.

        Raises
        ------
        InputError
            It is no such document.
        """
        if isinstance(document, cls):
            return document
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(str(step) for step in first["loc"])
            raise InputError(
                f"{field or 'the document'}: {first['msg']}",
                where=where,
                fix="give a document as printed by `--json`, or predict it again",
            ) from None

    def document(self) -> dict[str, Any]:
        """Return the plain JSON values that ``--json`` prints and the database keeps."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class Share(Result):
    """Share of a prediction's variance that one input explains."""

    material: str = Field(description="Name of the record, or of the two phases of a contact.")
    field: str = Field(description="Path of the number in its record.")
    variance_share: float = Field(description="First-order Sobol index, at most 1.")


class NextToLearn(Share):
    """The number whose knowledge would narrow the interface resistance most."""

    text: str = Field(description="Description in words.")


#: The inputs that matter to each output, the most important first.
Sensitivity: TypeAlias = dict[str, list[Share]]


def without_records(call: str) -> InputError:
    """Return the error for a report of a result that was read from a document."""
    return InputError(
        "this result was read from a document, which does not hold its records",
        where="report",
        fix=f"predict it again, or call interohm.report.{call}",
    )
