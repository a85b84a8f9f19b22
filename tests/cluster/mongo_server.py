"""A server that speaks MongoDB's protocol, on a free port of this machine."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

PROJECT = Path(__file__).parent / "server"
BUILT = Path(__file__).parents[2] / "build" / "test-server"


class CannotStartError(RuntimeError):
    """Something that the tests need is not on this machine; the message says how to get it."""


class MongoServer:
    """mongo-java-server over a file, which outlives a kill of the process.

    Parameters
    ----------
    file : Path
        Where the documents are.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def uri(self) -> str:
        """Where clients find it."""
        return f"mongodb://127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        """Whether it has been started, and not been stopped or killed."""
        return self._process is not None

    def start(self) -> None:
        """Start it, on the port that it had before.

        Raises
        ------
        CannotStartError
            Java or Maven are missing, or the server does not come up.
        """
        classes = _built()
        # It ends when its input closes, which is when the tests end, however they end.
        self._process = subprocess.Popen(
            ["java", "-cp", classes, "TestServer", str(self.file), str(self.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline().strip()
        if not said.isdigit():
            self._process.kill()
            self._process.wait()
            raise CannotStartError("the database server of the tests does not come up")
        self.port = int(said)

    def stop(self) -> None:
        """Let it end in order."""
        if self._process is not None:
            self._process.communicate()
            self._process = None

    def kill(self) -> None:
        """End it as a power failure would."""
        assert self._process is not None
        self._process.kill()
        self._process.communicate()
        self._process = None


def _built() -> str:
    """Return the class path of the server, built where its sources are newer."""
    sources = [PROJECT / "pom.xml", *PROJECT.rglob("*.java")]
    stamp = BUILT / "classes" / "TestServer.class"
    if not stamp.exists() or stamp.stat().st_mtime < max(s.stat().st_mtime for s in sources):
        missing = [program for program in ("java", "javac", "mvn") if shutil.which(program) is None]
        if missing:
            raise CannotStartError(
                f"{', '.join(missing)} missing; on Debian: apt install maven default-jdk-headless, "
                "or let INTEROHM_TEST_MONGODB_URI name a MongoDB server that may be written to"
            )
        made = subprocess.run(
            [
                *("mvn", "--quiet", "--batch-mode", "--file", str(PROJECT / "pom.xml")),
                *("clean", "compile", "dependency:copy-dependencies"),
            ],
            capture_output=True,
            text=True,
        )
        if made.returncode != 0:
            raise CannotStartError(f"Maven cannot build the database server:\n{made.stdout}")
    return f"{BUILT / 'classes'}:{BUILT / 'dependency'}/*"
