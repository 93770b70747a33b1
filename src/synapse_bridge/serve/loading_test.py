"""Finding generated servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from synapse_bridge.serve import CannotServe, Service, load


def test_a_server_is_loaded_from_its_file(folder: Path) -> None:
    service = load(str(folder / "probe_server.py"))
    assert isinstance(service, Service)
    assert service.name == "probe.v1.ProbeService"


def test_a_server_is_loaded_by_its_module_name(folder: Path) -> None:
    assert load("probe_server").contract == "c0ffee"


@pytest.mark.parametrize("server", ["no_such_server", "/no/such/server.py"])
def test_a_missing_server_is_told(server: str) -> None:
    with pytest.raises(CannotServe, match=r"is not there|no module no_such_server"):
        load(server)


def test_a_module_that_is_no_server_is_told() -> None:
    with pytest.raises(CannotServe, match="has no SERVICE"):
        load("json")


def test_an_error_in_the_users_module_is_told_with_its_own_frames_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_shop.py").write_text("def f():\n    return 1 / 0\n\n\nf()\n")
    (tmp_path / "broken_shop_server.py").write_text("import broken_shop\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(CannotServe) as raised:
        load("broken_shop_server")
    text = str(raised.value)
    assert "broken_shop_server cannot be imported" in text
    assert "ZeroDivisionError: division by zero" in text
    assert text.count("File ") == 3
    assert "importlib" not in text
    assert "loading.py" not in text


def test_a_syntax_error_in_the_users_module_is_told_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "unclosed.py").write_text("x = (\n")
    (tmp_path / "unclosed_server.py").write_text("import unclosed\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(CannotServe, match=r'unclosed\.py", line 1'):
        load("unclosed_server")


def test_a_missing_requirement_of_the_users_module_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needy_server.py").write_text("import no_such_library\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(CannotServe, match="No module named 'no_such_library'"):
        load("needy_server")
