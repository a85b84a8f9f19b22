from __future__ import annotations

import json

from interohm.cli.installation_checks import examine


def by_part():
    return {check.part: check for check in examine()}


def test_what_is_missing_says_how_to_get_it():
    for check in examine():
        assert check.status in ("ok", "missing", "broken")
        assert check.found
        if check.status != "ok":
            assert check.fix, check


def test_engine_that_is_installed_is_found():
    import gpaw

    check = by_part()["engine gpaw"]
    assert check.status == "ok"
    assert gpaw.__version__ in check.found


def test_mpi_says_how_many_processes(monkeypatch):
    from gpaw import cgpaw

    monkeypatch.setattr(cgpaw, "have_mpi", False)
    assert by_part()["gpaw: MPI"].status == "missing"
    monkeypatch.setattr(cgpaw, "have_mpi", True)
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert "mpiexec" in by_part()["gpaw: MPI"].found
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setenv("INTEROHM_GPAW_PROCESSES", "4")
    check = by_part()["gpaw: MPI"]
    assert check.status == "ok"
    assert check.found.startswith("/usr/bin/mpiexec, 4 processes")


def test_paw_data_sets_that_are_missing(monkeypatch, tmp_path):
    monkeypatch.setattr("gpaw.setup_paths", [tmp_path])
    check = by_part()["engine gpaw"]
    assert check.status == "missing"
    assert "gpaw-data" in check.fix


def test_materials_project_key_is_never_shown(monkeypatch):
    assert by_part()["Materials Project"].status == "missing"
    monkeypatch.setenv("INTEROHM_MATERIALS_PROJECT_KEY", "hunter2")
    check = by_part()["Materials Project"]
    assert "set" in check.found
    assert "hunter2" not in str(check)


def test_broken_database_is_named_and_gives_exit_code_1(interohm, monkeypatch, tmp_path):
    assert interohm("doctor").code == 0
    monkeypatch.setenv("INTEROHM_MONGODB_URI", "mongodb://me:hunter2@127.0.0.1:1")
    monkeypatch.setattr("interohm.database.storage._SERVER_TIMEOUT_MS", 100)
    ran = interohm("doctor", "--json")
    assert ran.code == 1
    [check] = [check for check in json.loads(ran.out)["checks"] if check["part"] == "database"]
    assert check["status"] == "broken"
    assert "127.0.0.1:1" in check["found"]
    assert "hunter2" not in ran.out + ran.err


def test_launchpad_that_cannot_be_reached(monkeypatch, tmp_path):
    path = tmp_path / "my_launchpad.yaml"
    path.write_text(
        "host: 127.0.0.1\nport: 1\nname: x\nusername: me\npassword: hunter2\n"
        "mongoclient_kwargs: {serverSelectionTimeoutMS: 100}\n"
    )
    monkeypatch.setattr("fireworks.fw_config.LAUNCHPAD_LOC", str(path))
    monkeypatch.setattr("interohm.workflows.launchpad.PATIENCE_MS", 100)
    check = by_part()["queue: FireWorks"]
    assert check.status == "missing"
    assert str(path) in check.found
    assert "hunter2" not in str(check)


def test_batch_system_on_the_path(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert by_part()["queue: batch system"].status == "missing"
    (tmp_path / "sbatch").write_text("#!/bin/sh\n")
    (tmp_path / "sbatch").chmod(0o755)
    check = by_part()["queue: batch system"]
    assert check.status == "ok"
    assert "Slurm" in check.found


def test_jobs_that_leave_their_outputs_in_memory(monkeypatch, tmp_path):
    check = by_part()["queue: outputs of jobs"]
    assert check.status == "missing"
    assert "JOBFLOW_CONFIG_FILE" in check.fix
