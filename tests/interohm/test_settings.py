from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from interohm.errors import InputError
from interohm.settings import load_settings, uri_host, without_secrets

SECRET = "hunter2"
UNUSUAL = "(host not shown: the URI is unusual)"


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
        ("mongodb://a.example:1,b.example:2/?replicaSet=x", "a.example:1,b.example:2"),
        ("mongodb://me:hunter2@[::1]:27017/", "[::1]:27017"),
        ("mongodb://me:hunter2", UNUSUAL),
        ("mongodb://me:12345", "me"),
        ("mongodb://me:hunter2%40db.example", UNUSUAL),
        ("mongodb://db.example;password=hunter2", UNUSUAL),
        ("mongodb://me:pw@db.example/?authMechanismProperties=T:a@hunter2", UNUSUAL),
        ("mongodb://db.example/?tlsCertificateKeyFilePassword=a@hunter2", UNUSUAL),
    ],
)
def test_host_is_all_that_is_shown_of_a_uri(uri, host):
    assert uri_host(SecretStr(uri)) == host


@given(
    password=st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1).map(
        lambda text: f"{text}Pa55{text}"
    ),
    form=st.sampled_from(
        [
            "mongodb://me:{}@db.example/",
            "mongodb://me:{}%40db.example/",
            "mongodb://me:{}",
            "mongodb://db.example;password={}",
            "mongodb://db.example/?password={}",
            "mongodb://me:{}@db.example:1/name?w=1",
        ]
    ),
)
def test_no_password_is_shown_whatever_is_in_it(password, form):
    if not re.search("[@/?#:,.]", password):  # else a part of it cannot be told from a host
        assert "Pa55" not in uri_host(SecretStr(form.format(password)))
    uri = SecretStr(form.format(password))
    assert uri.get_secret_value() not in without_secrets(f"x {uri.get_secret_value()} y", uri)
