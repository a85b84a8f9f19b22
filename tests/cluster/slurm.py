"""Slurm on this machine alone: its three daemons, as the user who runs the tests."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from mongo_server import CannotStartError

CONFIGURATION = """\
ClusterName=interohm-tests
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
KillWait=15
# as soon as one is submitted, not in a round every few seconds
SchedulerParameters=batch_sched_delay=0,sched_interval=2
NodeName=localhost NodeHostname={host} CPUs=2 RealMemory=1000 State=UNKNOWN
PartitionName=tests Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def require_slurm() -> None:
    """Look for what a cluster needs.

    Raises
    ------
    CannotStartError
        Slurm or MUNGE are missing.
    """
    programs = ("munged", "mungekey", "slurmctld", "slurmd", "sbatch", "setpriv")
    if missing := [name for name in programs if shutil.which(name, path=_path()) is None]:
        raise CannotStartError(
            f"{', '.join(missing)} missing; on Debian: apt install slurm-wlm munge"
        )


def _path() -> str:
    return os.environ["PATH"] + ":/usr/sbin:/sbin"


class Slurm:
    """A cluster of one node with two cores.

    Parameters
    ----------
    folder : Path
        Empty; for configuration, key, sockets and logs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.configuration = folder / "slurm.conf"
        self._daemons: list[subprocess.Popen[bytes]] = []

    @property
    def environment(self) -> dict[str, str]:
        """What lets ``sbatch`` and ``squeue`` find this cluster."""
        return {"SLURM_CONF": str(self.configuration)}

    def start(self) -> None:
        """Start the daemons and wait until the node takes jobs.

        Raises
        ------
        CannotStartError
            Slurm or MUNGE are missing, or do not come up.
        """
        require_slurm()
        self.folder.chmod(0o711)  # MUNGE wants everybody to reach its socket
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        self.configuration.write_text(
            CONFIGURATION.format(
                folder=self.folder,
                user=getpass.getuser(),
                host=socket.gethostname(),
                controller_port=_free_port(),
                node_port=_free_port(),
            )
        )
        self._environment = {**os.environ, **self.environment, "PATH": _path()}
        key = self.folder / "munge.key"
        subprocess.run(
            ["mungekey", "--create", "--keyfile", str(key)], env=self._environment, check=True
        )
        options = {
            "key-file": key,
            "socket": self.folder / "munge.socket",
            "pid-file": self.folder / "munged.pid",
            "log-file": self.folder / "munged.log",
            "seed-file": self.folder / "munge.seed",
        }
        self._daemon("munged", "--foreground", *(f"--{k}={v}" for k, v in options.items()))
        self._wait_for(lambda: (self.folder / "munge.socket").exists())
        self._daemon("slurmctld", "-D")
        self._daemon("slurmd", "-D", "-N", "localhost")
        self._wait_for(lambda: self.run("sinfo", "--noheader", "--format=%t").strip() == "idle")

    def stop(self) -> None:
        """End all jobs and the daemons."""
        if len(self._daemons) == 3:
            self.run("scancel", f"--user={getpass.getuser()}")
            self._wait_for(lambda: not self.run("squeue", "--noheader").strip())
        for daemon in reversed(self._daemons):
            daemon.terminate()
            daemon.wait()

    def run(self, *command: str) -> str:
        """Run one of Slurm's programs; return what it prints."""
        ran = subprocess.run(command, env=self._environment, capture_output=True, text=True)
        return ran.stdout

    def _daemon(self, *command: str) -> None:
        with (self.folder / f"{command[0]}.out").open("ab") as log:
            self._daemons.append(
                subprocess.Popen(
                    # ended with the tests, however they end
                    ["setpriv", "--pdeathsig", "TERM", *command],
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            )

    def _wait_for(self, condition, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                logs = [path.read_text()[-1000:] for path in sorted(self.folder.glob("*.out"))]
                raise CannotStartError("Slurm does not come up:\n" + "\n".join(logs))
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
