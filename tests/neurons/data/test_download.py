import hashlib
import os
import resource
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from neurons.data import registry
from neurons.data.download import download, fetch
from neurons.data.registry import DataError, Entry

CONTENT = bytes(range(256)) * 40


class Pages(BaseHTTPRequestHandler):
    """Serves CONTENT, and answers that are wrong in one way each."""

    def do_GET(self):
        page = self.path.strip("/")
        if page == "missing":
            return self.send_error(404)
        wrong = {"short": CONTENT[:999], "long": CONTENT * 9, "altered": CONTENT[::-1]}
        body = wrong.get(page, CONTENT)
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT) if page == "cut" else len(body)))
        self.end_headers()
        self.wfile.write(body[:100] if page == "cut" else body)
        return None

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address():
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.delenv("NEURONS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "home/neuron-companion"


def entry(url, path="toy/a.bin"):
    return Entry(path, len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), url)


def files(root):
    return sorted(path.name for path in root.rglob("*") if path.is_file())


def test_good_file_arrives_whole_under_its_name_only(address, tmp_path):
    path = download(entry(f"{address}/good"), tmp_path / "new/folder/a.bin")
    assert path.read_bytes() == CONTENT
    assert os.listdir(path.parent) == ["a.bin"]


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("short", "999 bytes"),
        ("cut", "100 bytes"),
        ("long", "more"),
        ("altered", hashlib.sha256(CONTENT[::-1]).hexdigest()),
        ("missing", "404"),
    ],
)
def test_bad_answer_is_named_and_leaves_nothing(address, tmp_path, page, found):
    with pytest.raises(DataError, match="check the network") as caught:
        download(entry(f"{address}/{page}"), tmp_path / "toy/a.bin")
    assert found in caught.value.found
    assert caught.value.expected.endswith(f"from {address}/{page}")
    assert files(tmp_path) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "nonsense", "http://"])
def test_no_server_is_named(tmp_path, url):
    with pytest.raises(DataError, match="an answer from"):
        download(entry(url), tmp_path / "a.bin")
    assert files(tmp_path) == []


def test_silent_server_times_out(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/x"
        with pytest.raises(DataError, match=r"[Tt]ime"):
            download(entry(url), tmp_path / "a.bin", timeout=0.1)


def test_entry_without_address_asks_for_the_file(tmp_path):
    with pytest.raises(DataError, match="by hand"):
        download(entry(""), tmp_path / "a.bin")


def test_target_that_is_no_folder_is_named(address, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="a folder to write to"):
        download(entry(f"{address}/good"), tmp_path / "file/a.bin")


@pytest.fixture
def small_disk():
    # No file may grow beyond 1,000 bytes: the disk is full in the middle of the transfer.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_disk")
def test_full_disk_is_named_and_leaves_nothing(address, tmp_path):
    with pytest.raises(DataError, match="a folder to write to") as caught:
        download(entry(f"{address}/good"), tmp_path / "a.bin")
    assert caught.value.way_out == "choose another"
    assert files(tmp_path) == []


def test_without_pooch_the_extra_is_named(address, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(DataError, match="pooch") as caught:
        download(entry(f"{address}/good"), tmp_path / "a.bin")
    assert caught.value.way_out == 'pip install "neuron-companion[data]"'
    assert files(tmp_path) == []


def test_pooch_is_imported_by_a_download_only():
    program = (
        "import sys; from neurons.data.download import download; print('pooch' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.stdout == "False\n"


def test_download_says_nothing(address, tmp_path, capfd, caplog):
    caplog.set_level("DEBUG", logger="pooch")
    download(entry(f"{address}/good"), tmp_path / "a.bin")
    assert capfd.readouterr() == ("", "")


def test_fetch_downloads_what_is_missing_and_repairs_its_own_folder(
    address, home, tmp_path, monkeypatch
):
    both = (entry(f"{address}/good"), entry(f"{address}/missing", "toy/b.bin"))
    monkeypatch.setattr(registry, "manifest", lambda: both)
    (tmp_path / "env/toy").mkdir(parents=True)
    (tmp_path / "env/toy/b.bin").write_bytes(CONTENT)
    monkeypatch.setenv("NEURONS_DATA", str(tmp_path / "env"))
    expected = {"a.bin": home / "toy/a.bin", "b.bin": tmp_path / "env/toy/b.bin"}
    assert fetch("toy") == expected == registry.locate("toy")
    expected["a.bin"].write_bytes(b"damaged")
    assert not registry.available("toy")
    assert fetch("toy") == expected == registry.locate("toy")


def test_fetch_does_not_touch_a_damaged_file_elsewhere(address, home, tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "manifest", lambda: (entry(f"{address}/good"),))
    monkeypatch.setenv("NEURONS_DATA", str(tmp_path / "env"))
    (tmp_path / "env/toy").mkdir(parents=True)
    (tmp_path / "env/toy/a.bin").write_bytes(b"damaged")
    with pytest.raises(DataError, match="delete it"):
        fetch("toy")
    assert files(tmp_path) == ["a.bin"]
    assert files(fetch("toy", tmp_path / "own")["a.bin"].parent) == ["a.bin"]


def test_a_group_is_fetched_from_all_its_sets(address, home, monkeypatch):
    both = (entry(f"{address}/good"), entry(f"{address}/good", "more/a.bin"))
    monkeypatch.setattr(registry, "manifest", lambda: both)
    monkeypatch.setattr(registry, "GROUPS", {"both": ("toy", "more")})
    assert fetch("both") == {path: home / path for path in ("toy/a.bin", "more/a.bin")}
    assert registry.available("both")
