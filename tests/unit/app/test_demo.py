"""The demonstration asks nobody but the exchange on this machine."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import msgspec
import pytest

from fairstrike.app.children import ChildDied
from fairstrike.app.demo import Demo, Wanted, World, announced, ask_world
from fairstrike.core.errors import ConfigError, VenueError
from fairstrike.exchange.announcement import Announcement
from tests.commands import write_line

WORLD = World(now_ns=3, start_ns=1, close_ns=9, markets={"T": "active"}, plants=[])
Places = Callable[[int, str], tuple[str, list[str]]]


@contextmanager
def administration(status: int, location: str, asked: list[str]) -> Iterator[str]:
    """An administration that gives one answer; keeps who asked for what in `asked`."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.path} {self.headers['Authorization']}")
            self.send_response(status)
            self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(msgspec.json.encode(WORLD))

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def place() -> Iterator[Places]:
    with ExitStack() as stack:

        def started(status: int, location: str) -> tuple[str, list[str]]:
            asked: list[str] = []
            return stack.enter_context(administration(status, location, asked)), asked

        yield started


def box_of(folder: Path, url: str) -> Announcement:
    return announced(write_line(folder, admin={"url": f"{url}/admin", "token": "secret"}))


@pytest.mark.parametrize(
    "change",
    [
        {"rest": "http://192.0.2.2:80/trade-api/v2"},
        {"rest": "http://127.0.0.1:80/elsewhere"},
        {"admin": {"url": "http://192.0.2.2:80/admin", "token": "secret"}},
        {"admin": {"url": "https://127.0.0.1:80/admin", "token": "secret"}},
    ],
)
def test_an_exchange_that_is_elsewhere_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        announced(write_line(tmp_path, **change))


def test_an_exchange_on_this_machine_is_taken_as_it_is(tmp_path: Path) -> None:
    path = write_line(tmp_path)
    assert announced(path) == msgspec.json.decode(path.read_bytes(), type=Announcement)


def test_the_token_passes_no_proxy(tmp_path: Path, place: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    url, asked = place(200, "")
    proxy, passed = place(200, "")
    monkeypatch.setenv("http_proxy", proxy)
    assert ask_world(box_of(tmp_path, url)) == WORLD
    assert (asked, passed) == (["/admin/state Bearer secret"], [])


def test_the_token_follows_no_redirection(tmp_path: Path, place: Places) -> None:
    other, redirected = place(200, "")
    url, _ = place(302, f"{other}/admin/state")
    with pytest.raises(VenueError, match="it answered 302"):
        ask_world(box_of(tmp_path, url))
    assert redirected == []


def test_an_exchange_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(VenueError, match="does not tell its state"):
        ask_world(box_of(tmp_path, "http://127.0.0.1:9"))


def test_the_limit_holds_from_the_start(tmp_path: Path) -> None:
    # No exchange is ready so soon.
    demo = Demo(Wanted(seed=1, speed=20, folder=tmp_path / "demo", limit_seconds=0.01))
    with pytest.raises(ChildDied, match=r"^the demo took more than 0\.01 s; its logs are in "):
        demo.run(lambda _: None)
