"""Small files that unfold to fill the memory."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from pathlib import Path

import pytest

from interohm.errors import InputError
from interohm.postprocess.vasp_files import file_content
from interohm.unpacking import unpacked
from interohm.workflows.campaign_config import load_structure

PACK = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


@pytest.mark.parametrize("packing", PACK)
def test_what_is_real_comes_back(packing: str) -> None:
    data = json.dumps([0.1 * number for number in range(10_000)]).encode()
    assert unpacked(PACK[packing](data), packing, where="test") == data


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interohm.unpacking._ALWAYS_BYTES", 2**20)
    bomb = gzip.compress(bytes(64 * 2**20))
    with pytest.raises(InputError, match="decompresses to more than"):
        unpacked(bomb, ".gz", where="test")
    for name in ("OUTCAR.gz", "POSCAR.gz"):
        (tmp_path / name).write_bytes(bomb)
    with pytest.raises(InputError, match=r"OUTCAR\.gz: it decompresses to more than"):
        file_content(tmp_path / "OUTCAR.gz")
    with pytest.raises(InputError, match="decompresses to more than"):
        load_structure("POSCAR.gz", tmp_path, where="structure")


@pytest.mark.parametrize("name", ["Li.json", "Li.json.gz", "Li.mson", "Li.yaml"])
def test_a_structure_that_names_code(name: str, tmp_path: Path) -> None:
    crystal = load_structure("Li", tmp_path, where="structure")
    document = crystal.as_dict()
    write = PACK[".gz"] if name.endswith(".gz") else bytes
    (tmp_path / name).write_bytes(write(json.dumps(document).encode()))
    assert load_structure(name, tmp_path, where="structure") == crystal
    document["sites"][0]["properties"] = {"m": {"@module": "interohm.__main__", "@class": "x"}}
    (tmp_path / name).write_bytes(write(json.dumps(document).encode()))
    with pytest.raises(InputError, match="refers to code of"):
        load_structure(name, tmp_path, where="structure")
