from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from interohm.errors import InputError
from interohm.settings import load_settings, uri_host

SECRET = "hunter2"


def test_defaults_need_no_environment():
    settings = load_settings()
    assert settings.data == Path("interohm-data")
    assert settings.mongodb_uri is None
    assert settings.materials_project_key is None


def test_environment_sets_every_field(monkeypatch):
    monkeypatch.setenv("INTEROHM_DATA", "/somewhere")
    monkeypatch.setenv("INTEROHM_MONGODB_URI", f"mongodb://me:{SECRET}@db.example:27017/x")
    monkeypatch.setenv("INTEROHM_MONGODB_DATABASE", "mine")
    monkeypatch.setenv("INTEROHM_MATERIALS_PROJECT_KEY", SECRET)
    settings = load_settings()
    assert settings.data == Path("/somewhere")
    assert settings.mongodb_database == "mine"
    assert settings.mongodb_uri.get_secret_value().endswith("27017/x")
    assert settings.materials_project_key.get_secret_value() == SECRET
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()


def test_materials_project_key_as_their_client_reads_it(monkeypatch):
    monkeypatch.setenv("MP_API_KEY", SECRET)
    assert load_settings().materials_project_key.get_secret_value() == SECRET


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INTEROHM_MONGODB_URI", f"http://me:{SECRET}@db.example"),
        ("INTEROHM_MONGODB_DATABASE", f"no spaces or / {SECRET}"),
    ],
)
def test_unusable_value_is_named_but_not_shown(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(InputError) as caught:
        load_settings()
    assert name in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        ("mongodb://localhost:27017", "localhost:27017"),
        ("mongodb://me:pass@db.example:1234/name?w=1", "db.example:1234"),
        ("mongodb+srv://me:p@ss/w?rd@cluster.example/name", "cluster.example"),
        ("mongodb://", "(no host)"),
    ],
)
def test_host_is_all_that_is_shown_of_a_uri(uri, host):
    assert uri_host(SecretStr(uri)) == host
