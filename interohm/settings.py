"""Settings from the environment: where results go, and which services are available."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from interohm.errors import InputError

ENV_PREFIX = "INTEROHM_"

_HOST = r"(?:[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])"
_HOSTS = re.compile(rf"{_HOST}(?::\d{{1,5}})?(?:,{_HOST}(?::\d{{1,5}})?)*")
#: After an @, whatever stands for a port is none of a password.
_HOSTS_OF_A_USER = re.compile(rf"{_HOST}(?::\w*)?(?:,{_HOST}(?::\w*)?)*", re.ASCII)


class Settings(BaseSettings):
    """Settings of the program, from environment variables that begin with ``INTEROHM_``.

    Secrets are `SecretStr`: they show as asterisks wherever the settings are printed or logged.

    Parameters
    ----------
    data : Path
        The project folder of the embedded database (``INTEROHM_DATA``).
    mongodb_uri : SecretStr, optional
        A MongoDB server that takes the place of the folder (``INTEROHM_MONGODB_URI``).
    mongodb_database : str
        The database's name on that server (``INTEROHM_MONGODB_DATABASE``).
    materials_project_key : SecretStr, optional
        For structures by Materials Project id (``INTEROHM_MATERIALS_PROJECT_KEY``, or
        ``MP_API_KEY`` as their own client reads it).
    walltime_s : float, optional
        How long the batch job around a worker of a queue lasts (``INTEROHM_WALLTIME_S``); Slurm
        and PBS say it by themselves.
    gpaw_processes : int
        MPI processes of one calculation with a GPAW that was built with MPI
        (``INTEROHM_GPAW_PROCESSES``).
    forbid_calculations : bool
        Start no calculation: what is not stored fails (``INTEROHM_FORBID_CALCULATIONS=1``).
    """

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, hide_input_in_errors=True, env_ignore_empty=True, frozen=True
    )

    data: Path = Path("interohm-data")
    mongodb_uri: SecretStr | None = None
    mongodb_database: str = Field("interohm", pattern=r"^[A-Za-z0-9_-]{1,60}$")
    materials_project_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices(
            "materials_project_key", f"{ENV_PREFIX}MATERIALS_PROJECT_KEY", "MP_API_KEY"
        ),
    )
    walltime_s: float | None = Field(None, gt=0, allow_inf_nan=False)
    gpaw_processes: int = Field(1, ge=1, le=4096)
    forbid_calculations: bool = False

    @field_validator("mongodb_uri")
    @classmethod
    def _is_a_uri(cls, uri: SecretStr | None) -> SecretStr | None:
        if uri is not None and not uri.get_secret_value().startswith(
            ("mongodb://", "mongodb+srv://")
        ):
            raise ValueError("a URI that begins with mongodb:// or mongodb+srv:// was expected")
        return uri


def load_settings() -> Settings:
    """Return the settings of this environment.

    Raises
    ------
    InputError
        A variable has an unusable value; its name stands in the message, its value does not.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = []
        for item in error.errors(include_url=False, include_input=False):
            message = item["msg"].removeprefix("Value error, ")
            problems.append(f"{ENV_PREFIX}{str(item['loc'][0]).upper()}: {message}")
        raise InputError(
            "; ".join(problems), where="environment", fix="correct or unset the variable"
        ) from None


def has_batch_system() -> bool:
    """Return whether this machine belongs to a cluster, where other advice applies."""
    return any(shutil.which(command) for command in ("sbatch", "qsub"))


def uri_host(uri: SecretStr) -> str:
    """Return the hosts of a MongoDB URI: what may be shown of it.

    People forget the @, write it as %40, or put / and ; into passwords: where any of what could be
    a host may be a part of a password, nothing is shown.
    """
    after_scheme = uri.get_secret_value().partition("://")[2]
    before, at, after = after_scheme.rpartition("@")
    hosts = re.split("[/?#]", after, maxsplit=1)[0]
    if not hosts and not at:
        return "(no host)"
    # an @ within the options ends no password, but may stand before another secret
    expected = _HOSTS_OF_A_USER if at else _HOSTS
    if re.search("[?&;][A-Za-z]+=", before) or not expected.fullmatch(hosts):
        return "(host not shown: the URI is unusual)"
    if at:
        return hosts
    # without an @, what stands for a port may be a password, unless it follows a machine's name
    return ",".join(
        each if re.match(r"localhost\b|\[|[^:]*\.", each) else each.partition(":")[0]
        for each in hosts.split(",")
    )


def without_secrets(text: str, uri: SecretStr) -> str:
    """Return a text, as of a driver's error, without a URI and what is secret in it."""
    from urllib.parse import unquote

    secret = uri.get_secret_value()
    password = secret.partition("://")[2].rpartition("@")[0].partition(":")[2]
    for part in {secret, password, unquote(password)} - {""}:
        text = text.replace(part, "(secret)")
    return text
