from __future__ import annotations

import json

import pytest

from interohm.database import Database
from interohm.errors import InputError
from interohm.lookup import find_material
from interohm.records import Metal, material_document, save_material
from interohm.records.shipped import SHIPPED_FOLDER, shipped_material, shipped_names


@pytest.fixture
def sodium(tmp_path):
    """Return a record that nothing ships."""
    return Metal(
        name="Na_test",
        mobile_ion="Na",
        states=[{"ion_content": 1, "voltage_V": 0, "work_function_eV": 2.7}],
    )


def test_path_is_relative_to_the_file_that_names_it(tmp_path, sodium):
    (tmp_path / "cells").mkdir()
    save_material(sodium, tmp_path / "cells" / "sodium.yaml")
    found = find_material("sodium.yaml", relative_to=tmp_path / "cells")
    assert found[:3] == (sodium, "file", False)
    with pytest.raises(InputError, match=r"sodium\.yaml"):
        find_material("sodium.yaml")
    assert find_material("cells/sodium.yaml").material == sodium


def test_database_comes_first_and_says_what_it_hides(sodium):
    name = shipped_names()[0]
    shipped = shipped_material(name)
    mine = sodium.model_copy(update={"name": name})
    with Database.open(write=True) as database:
        assert find_material(name, database=database)[:3] == (shipped, "shipped", False)
        database.save_material(mine)
        database.save_material(sodium)
        assert find_material(name, database=database)[:3] == (mine, "database", True)
        assert find_material("Na_test", database=database)[:3] == (sodium, "database", False)


def test_unknown_name_gets_a_suggestion(sodium):
    with Database.open(write=True) as database:
        database.save_material(sodium)
        with pytest.raises(InputError, match="did you mean Na_test"):
            find_material("Na_tset", database=database)
    with pytest.raises(InputError, match="materials list"):
        find_material("qqqqqq")


def test_name_without_a_surface_means_the_only_one(sodium):
    found = find_material("LiCl")
    assert found.material.name == "LiCl_001"
    assert found.taken_text.startswith("LiCl is taken to be LiCl_001")
    # a record of that very name, and surfaces of which none is meant more than another
    assert find_material("LiF").material.name == "LiF"
    assert find_material("LiF").taken_text is None
    with pytest.raises(InputError, match="Li2O_110 or Li2O_111"):
        find_material("Li2O")
    with pytest.raises(InputError, match="LiCoO2"):
        find_material("LiCoO")
    with Database.open(write=True) as database:
        database.save_material(sodium.model_copy(update={"name": "LiCl_110"}))
        with pytest.raises(InputError, match="LiCl_001 or LiCl_110"):
            find_material("LiCl", database=database)


def test_file_names_are_record_names():
    assert shipped_names()
    for name in shipped_names():
        assert shipped_material(name).name == name, SHIPPED_FOLDER / f"{name}.yaml"


def test_records_of_others_are_added_together_or_not_at_all(interohm, refused, tmp_path):
    for name in ("one", "two"):
        record = shipped_material("LLZO").model_copy(update={"name": name})
        save_material(record, tmp_path / f"{name}.yaml")
    (tmp_path / "three.json").write_text(
        json.dumps({**material_document(shipped_material("Li")), "name": "three"})
    )
    (tmp_path / "wrong.yaml").write_text((tmp_path / "one.yaml").read_text() + "colour: red\n")
    (tmp_path / "again.yaml").write_text((tmp_path / "one.yaml").read_text())
    assert "colour" in refused("materials", "add", "one.yaml", "wrong.yaml")
    assert "one.yaml" in refused("materials", "add", "one.yaml", "again.yaml")
    with Database.open() as database:
        assert database.material_names() == []
    ran = interohm("materials", "add", "one.yaml", "two.yaml", "three.json")
    assert ran.code == 0, ran.err
    assert "one added to" in ran.err
    assert "without a source" in ran.err
    with Database.open() as database:
        assert database.material_names() == ["one", "three", "two"]
