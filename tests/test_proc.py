"""Processes: bounded, ended with all their kind, and never mistaken for one another."""

import dataclasses
import os
import select
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from walkaway import identity, proc

FOREVER = "import signal; print('up', flush=True); signal.pause()"


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def shell(code: str) -> str:
    return shlex.join(python(code))


def gone(pid: int) -> bool:
    """Whether a process ends, be it reaped by whoever inherits it or not."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 30)[0])
    finally:
        os.close(handle)


# ---- what it did -------------------------------------------------------------------------------------------------


def test_streams_and_exit_code_are_told_apart(tmp_path: Path) -> None:
    done = proc.run("echo out; echo err >&2; exit 3", tmp_path)

    assert (done.exit_code, done.output, done.stderr) == (3, "out\n", "err\n")
    assert (done.timed_out, done.truncated, done.cancelled) == (False, False, False)
    assert done.duration_ms >= 0


def test_merged_streams_keep_their_order(tmp_path: Path) -> None:
    done = proc.run("echo 1; echo 2 >&2; echo 3", tmp_path, merge=True)

    assert (done.output, done.stderr) == ("1\n2\n3\n", "")


def test_a_string_is_one_shell_command_in_the_given_directory(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()

    done = proc.run("cd 'a b' && pwd | tr a-z A-Z; echo 'x;y'", tmp_path)

    assert done.output == f"{tmp_path}/a b".upper() + "\nx;y\n"


def test_a_list_is_not_seen_by_a_shell(tmp_path: Path) -> None:
    assert proc.run(["echo", "$HOME; *"], tmp_path).output == "$HOME; *\n"


def test_it_reads_nothing_unless_it_is_given_something(tmp_path: Path) -> None:
    assert proc.run("cat", tmp_path).output == ""
    given = b"x" * 300_000
    assert proc.run("cat", tmp_path, input=given, limit_bytes=None).output == given.decode()


def test_a_reader_that_stops_reading_is_no_failure(tmp_path: Path) -> None:
    assert proc.run("head -c 1; exit 0", tmp_path, input=b"x" * 10_000_000).exit_code == 0


def test_a_long_output_keeps_head_and_tail_and_says_what_is_missing(tmp_path: Path) -> None:
    done = proc.run("echo first; yes | head -c 1000000; echo last", tmp_path, limit_bytes=1000)

    assert done.truncated
    assert done.output.startswith("first\n")
    assert done.output.endswith("last\n")
    assert "[... 999011 bytes left out ...]" in done.output
    assert len(done.output) < 1100


def test_output_at_the_limit_is_whole(tmp_path: Path) -> None:
    done = proc.run("printf 1234567", tmp_path, limit_bytes=7)

    assert (done.output, done.truncated) == ("1234567", False)
    assert proc.run("printf 12345678", tmp_path, limit_bytes=7).truncated


def test_bytes_that_are_no_text_do_not_stop_it(tmp_path: Path) -> None:
    assert proc.run(r"printf 'a\377b'", tmp_path).output == "a\ufffdb"
    assert proc.run(r"printf 'a\377b'", tmp_path, errors="surrogateescape").output == "a\udcffb"


def test_a_signal_is_told_from_an_exit_code(tmp_path: Path) -> None:
    assert proc.run("kill -KILL $$", tmp_path).exit_code == -signal.SIGKILL


def test_what_cannot_be_started_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        proc.run(["no-such-program-here"], tmp_path)
    with pytest.raises(FileNotFoundError):
        proc.run("true", tmp_path / "nowhere")


# ---- ending ------------------------------------------------------------------------------------------------------


class When:
    """Cancels as soon as somebody writes to the named pipe ``ready``."""

    def __init__(self, path: Path) -> None:
        self.cancel, self._pipe = threading.Event(), path / "ready"
        os.mkfifo(self._pipe)
        self._thread = threading.Thread(target=self._wait)

    def _wait(self) -> None:
        self._pipe.read_text()
        self.cancel.set()

    def __enter__(self) -> threading.Event:
        self._thread.start()
        return self.cancel

    def __exit__(self, *_: object) -> None:
        self._thread.join()


def test_a_time_out_ends_the_whole_group(tmp_path: Path) -> None:
    done = proc.run("tail -f /dev/null & echo $!; wait", tmp_path, timeout_s=0.4)

    assert (done.timed_out, done.cancelled, done.exit_code) == (True, False, None)
    assert gone(int(done.output))


def test_cancelling_ends_it_at_once(tmp_path: Path) -> None:
    with When(tmp_path) as cancel:
        done = proc.run("tail -f /dev/null & echo $!; echo up >ready; wait", tmp_path, timeout_s=60, cancel=cancel)

    assert (done.cancelled, done.timed_out, done.exit_code) == (True, False, None)
    assert done.duration_ms < 10_000
    assert gone(int(done.output))


def test_a_process_that_ignores_the_request_is_made_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proc, "GRACE_S", 0.2)
    stubborn = "trap '' TERM; echo $$; echo up >ready; while :; do read line <never; done"
    os.mkfifo(tmp_path / "never")

    with When(tmp_path) as cancel:
        done = proc.run(stubborn, tmp_path, timeout_s=60, cancel=cancel)

    assert done.cancelled
    assert gone(int(done.output))


def test_a_process_that_is_asked_may_put_its_things_in_order(tmp_path: Path) -> None:
    tidy = "trap 'echo tidied; exit 0' TERM; tail -f /dev/null & echo up >ready; wait"

    with When(tmp_path) as cancel:
        done = proc.run(tidy, tmp_path, timeout_s=60, cancel=cancel)

    assert done.output == "tidied\n"


def test_a_child_that_left_the_group_is_found_and_ended(tmp_path: Path) -> None:
    leaver = (
        "import os, signal; os.setsid(); print(os.getpid(), flush=True); open('ready', 'w').close(); signal.pause()"
    )

    with When(tmp_path) as cancel:
        done = proc.run(f"{shell(leaver)} & wait", tmp_path, timeout_s=60, cancel=cancel)

    assert done.cancelled
    assert gone(int(done.output))


def test_what_was_cancelled_before_is_ended_before_it_does_anything_long(tmp_path: Path) -> None:
    cancel = threading.Event()
    cancel.set()

    assert proc.run(python(FOREVER), tmp_path, cancel=cancel).cancelled


def test_a_grandchild_that_holds_the_pipes_neither_delays_nor_survives(tmp_path: Path) -> None:
    done = proc.run(f"{shell(FOREVER)} & echo $!", tmp_path, timeout_s=60)

    assert (done.exit_code, done.timed_out) == (0, False)
    assert done.duration_ms < 10_000
    assert gone(int(done.output.split()[0]))


def test_a_process_that_closes_its_streams_is_waited_for(tmp_path: Path) -> None:
    done = proc.run("exec >&- 2>&-; for i in 1 2 3 4 5 6 7 8 9; do /bin/true; done; exit 7", tmp_path)
    assert done.exit_code == 7

    done = proc.run(f"exec >&- 2>&-; {shell('import signal; signal.pause()')}", tmp_path, timeout_s=0.5)
    assert done.timed_out


def test_an_interrupt_of_ours_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    begin = proc._start

    def note(*args, **kwargs):
        child = begin(*args, **kwargs)
        started.append(child.pid)
        return child

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(proc, "_start", note)
    monkeypatch.setattr(proc, "_move", interrupt)

    with pytest.raises(KeyboardInterrupt):
        proc.run(python(FOREVER), tmp_path)

    assert gone(started[0])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent died")
def test_a_child_dies_with_its_parent_where_asked(tmp_path: Path) -> None:
    code = f"""
import sys; from pathlib import Path; from walkaway import proc
child = proc.Background({python(FOREVER)!r}, Path({str(tmp_path)!r}), Path({str(tmp_path / "log")!r}))
print(child.pid, flush=True); sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert psutil.pid_exists(child)
        parent.kill()

    assert gone(child)


# ---- in the background -------------------------------------------------------------------------------------------


def test_a_background_process_goes_on_and_can_be_asked_and_ended(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("older\n")
    os.mkfifo(tmp_path / "ready")
    child = proc.Background(
        f"echo hello; echo err >&2; echo >ready; {shell(FOREVER)} & wait", tmp_path, tmp_path / "log"
    )
    (tmp_path / "ready").read_text()

    assert child.poll() is None
    assert child.wait(0.01) is None
    assert child.output().startswith("hello\nerr\n")
    assert psutil.Process(child.pid).is_running()

    below = psutil.Process(child.pid).children(recursive=True)
    code = child.kill()
    assert code == -signal.SIGTERM
    assert child.kill() == child.poll() == child.wait() == code
    assert all(gone(process.pid) for process in below)
    assert (tmp_path / "log").read_text().startswith("older\nhello\n")


def test_a_background_process_that_ended_has_an_exit_code_and_bounded_output(tmp_path: Path) -> None:
    child = proc.Background("yes | head -c 100000; exit 4", tmp_path, tmp_path / "log")

    assert child.wait(30) == 4
    assert len(child.output(1000)) < 1100


# ---- environment -------------------------------------------------------------------------------------------------


def test_children_see_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {
        "OPENAI_API_KEY": "1",
        "OPENAI_BASE_URL": "2",
        "ANTHROPIC_BASE_URL": "3",
        "GITHUB_TOKEN": "4",
        "db_password": "5",
        "AWS_SECRET_ACCESS_KEY": "6",
        "GOOGLE_APPLICATION_CREDENTIALS": "7",
        "WALKAWAY_MODEL__NAME": "8",
        "WALKAWAY_DATABASE__URL": "9",
        "GIT_DIR": "10",
        "GIT_INDEX_FILE": "11",
    }
    kept = {"WALKAWAY_PROJECT": "/p", "GIT_CONFIG_KEY_0": "user.name", "MY_SETTING": "x"}
    for name, value in {**secrets, **kept}.items():
        monkeypatch.setenv(name, value)

    seen = dict(line.partition("=")[::2] for line in proc.run("env", tmp_path).output.splitlines())

    assert not secrets.keys() & seen.keys()
    assert kept.items() <= seen.items()
    assert seen["PATH"] == os.environ["PATH"]


def test_a_given_environment_is_the_childs_whole_environment(tmp_path: Path) -> None:
    assert proc.run("/usr/bin/env", tmp_path, {"API_KEY": "given"}).output.splitlines()[0] == "API_KEY=given"


# ---- which process is which --------------------------------------------------------------------------------------


def test_this_process_is_alive() -> None:
    assert proc.alive(proc.me()) is True
    assert proc.me() == proc.me()


def test_a_running_child_is_alive_and_a_zombie_is_dead() -> None:
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as child:
        seen = identity.stat(child.pid)
        assert seen is not None
        who = dataclasses.replace(proc.me(), pid=child.pid, started=seen.started)
        assert proc.alive(who) is True

        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE
        assert proc.alive(who) is False

    assert proc.alive(who) is False


def test_a_number_that_is_used_again_is_another_process() -> None:
    mine = proc.me()

    assert proc.alive(dataclasses.replace(mine, started=mine.started - 1)) is False


def test_nothing_is_known_of_another_host_boot_or_namespace() -> None:
    mine = proc.me()
    boot, _, namespace = mine.boot_id.partition(":")

    assert proc.alive(dataclasses.replace(mine, host="elsewhere")) is None
    assert proc.alive(dataclasses.replace(mine, boot_id=f"other:{namespace}")) is None
    assert proc.alive(dataclasses.replace(mine, boot_id=f"{boot}:1", pid=1)) is None


def test_a_process_that_the_table_hides_is_not_called_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = proc.me()
    monkeypatch.setattr(identity, "stat", lambda _: None)
    assert proc.alive(mine) is None

    def forbidden(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbidden)
    assert proc.alive(mine) is None


def test_the_start_is_what_others_see(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = identity.stat(os.getpid()), identity._stat_elsewhere(os.getpid())

    assert ours is not None
    assert theirs is not None
    assert (ours.parent, ours.zombie) == (theirs.parent, theirs.zombie) == (os.getppid(), False)
    assert identity._stat_elsewhere(2**22 + 1) is None


def test_process_identity_imports_nothing_heavy() -> None:
    code = "import sys; import walkaway.identity as i; i.alive(i.me()); print(*{'psutil','subprocess','ctypes','pathlib'} & set(sys.modules))"

    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == []
