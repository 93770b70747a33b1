"""The configuration: three files of one content, and errors with file, line and the nearest key."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import jsonschema
import pytest

from synapse_bridge import config
from synapse_bridge.config import ConfigError
from synapse_bridge.introspect import Calls, Naming, Override

YAML = """\
# Names for Elixir.
modules:
  shop.pricing:
    elixir: MyApp.Pricing
    proto_package: acme.pricing.v1
    service: Pricing
    functions:
      price: quote
  "shop.pricing:desk":
    elixir: MyApp.Desk
types:
  shop.models.Sku: str
  shop.models.Order.items: list[Item]
"""
DATA = {
    "modules": {
        "shop.pricing": {
            "elixir": "MyApp.Pricing",
            "proto_package": "acme.pricing.v1",
            "service": "Pricing",
            "functions": {"price": "quote"},
        },
        "shop.pricing:desk": {"elixir": "MyApp.Desk"},
    },
    "types": {"shop.models.Sku": "str", "shop.models.Order.items": "list[Item]"},
}
TOML = """\
[project]
name = "shop"

[tool.synapse_bridge.modules."shop.pricing"]
elixir = "MyApp.Pricing"
proto_package = "acme.pricing.v1"
service = "Pricing"
functions = { price = "quote" }

[tool.synapse_bridge.modules."shop.pricing:desk"]
elixir = "MyApp.Desk"

[tool.synapse_bridge.types]
"shop.models.Sku" = "str"
"shop.models.Order.items" = "list[Item]"
"""
FILES = [
    ("synapse.yaml", YAML, (7, 12, 13)),
    ("synapse.json", json.dumps(DATA, indent=2), (7, 16, 17)),
    ("synapse.json", json.dumps(DATA, indent="\t"), (7, 16, 17)),
    ("pyproject.toml", TOML, (8, 14, 15)),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("name", "text", "lines"), FILES)
def test_every_kind_of_file_says_the_same(
    folder: Path, name: str, text: str, lines: tuple[int, int, int]
) -> None:
    Path(name).write_text(text)
    found = config.find(Path.cwd())
    assert found == folder / name
    source = config.read(Path(name))
    functions, sku, items = lines
    assert source.naming("shop.pricing") == Naming(
        "MyApp.Pricing", "acme.pricing.v1", "Pricing", {"price": "quote"}, f"{name}:{functions}"
    )
    assert source.naming("shop.pricing:desk").elixir_module == "MyApp.Desk"
    assert source.overrides() == {
        "shop.models.Sku": Override("str", name, sku),
        "shop.models.Order.items": Override("list[Item]", name, items),
    }


def test_the_command_line_goes_first(folder: Path) -> None:
    Path("synapse.yaml").write_text(YAML)
    source = config.read(Path("synapse.yaml"))
    naming = source.naming("shop.pricing", "Other")
    assert (naming.elixir_module, naming.service) == ("Other", "Pricing")
    assert source.naming("another").elixir_module is None


def test_without_a_configuration_all_names_are_derived(folder: Path) -> None:
    Path("pyproject.toml").write_text("[tool.other]\nx = 1\n")
    assert config.find(folder) is None
    assert config.Source().naming("shop") == Naming()


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}", "modules: {}\n"])
def test_an_empty_configuration(folder: Path, text: str) -> None:
    Path("synapse.yaml").write_text(text)
    assert config.read(Path("synapse.yaml")).config == config.Config()


def test_two_configurations_in_one_folder_are_refused(folder: Path) -> None:
    Path("synapse.yaml").write_text(YAML)
    Path("pyproject.toml").write_text(TOML)
    with pytest.raises(ConfigError, match=r"synapse\.yaml and pyproject\.toml"):
        config.find(folder)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("c.yaml", "modul: {}\n", "c.yaml:1: there is no key `modul`\n  → did you mean `modules`?"),
        (
            "c.yaml",
            "modules:\n  shop:\n    elixr: A\n",
            "c.yaml:3: there is no key `elixr`\n  → did you mean `elixir`?",
        ),
        (
            "c.yaml",
            "modules:\n  shop:\n    qqqq: A\n",
            "c.yaml:3: there is no key `qqqq`\n"
            "  → it may have: `elixir`, `proto_package`, `service`, `functions`",
        ),
        ("c.yaml", "modules:\n  shop:\n    elixir: my_app\n", "c.yaml:3: `modules.shop.elixir`: "),
        (
            "c.yaml",
            "modules:\n  shop:\n    functions:\n      f: Say\n",
            "c.yaml:4: `modules.shop.functions.f`: ",
        ),
        (
            "c.yaml",
            "modules:\n  shop:\n    methods:\n      f: {timeut: 5}\n",
            "c.yaml:4: there is no key `timeut`\n  → did you mean `timeout`?",
        ),
        (
            "c.yaml",
            "modules:\n  shop:\n    methods:\n      f:\n        timeout: 5 days\n",
            "c.yaml:5: `modules.shop.methods.f.timeout`: Value error, '5 days' is no length of",
        ),
        ("c.yaml", "modules:\n  shop: 5\n", "c.yaml:2: `modules.shop`: "),
        ("c.yaml", "types:\n  a.B: 5\n", "c.yaml:2: `types.a.B`: "),
        ("c.yaml", "types:\n  a.B:\n    wier: str\n", "did you mean `wire`?"),
        (
            "c.yaml",
            "types:\n  a.B:\n    wire: str\n    to_wire: a.b\n",
            "c.yaml:4: `types.a.B.to_wire`: ",
        ),
        (
            "c.yaml",
            "types:\n  a.B:\n    wire: str\n    to_wire: a:b\n",
            "c.yaml:2: `types.a.B`: Value error, `to_wire` and `from_wire` go together",
        ),
        ("c.yaml", "types:\n  a.B:\n    elixir: my_app\n", "c.yaml:3: `types.a.B.elixir`: "),
        ("c.yaml", "- a\n", "c.yaml: `the configuration`: "),
        ("c.yaml", "modules:\n  a: {}\n  a: {}\n", "c.yaml:3: `a` stands twice; the first is in"),
        ("c.yaml", "a: [\n", "c.yaml:2: it is not YAML: "),
        ("c.yaml", "a: \x01\n", "c.yaml: it is not YAML: "),
        ("c.json", '{"modules": {"a": {"elixr": "A"}}}', "c.json:1: there is no key `elixr`"),
        ("c.json", '{\n"modules":', "c.json:2: it is not JSON: "),
        ("c.json", '{"types": {},\n "types": {}}', "c.json:2: `types` stands twice"),
        (
            "c.toml",
            "[tool.synapse_bridge.modules.shop]\nelixr = 'A'\n",
            "c.toml:2: there is no key `elixr`",
        ),
        ("c.toml", "a = \n", "c.toml: it is not TOML: "),
        ("c.toml", "[tool]\nsynapse_bridge = 5\n", "c.toml: `the configuration`: "),
    ],
)
def test_a_wrong_configuration_is_told(folder: Path, name: str, text: str, message: str) -> None:
    Path(name).write_text(text)
    with pytest.raises(ConfigError) as caught:
        config.read(Path(name))
    assert message in str(caught.value)


def test_what_goes_for_calls(folder: Path) -> None:
    Path("c.yaml").write_text(
        "modules:\n  shop:\n    methods:\n      f: {timeout: 500ms, raises: [Gone]}\n"
        "      g: {timeout: 2.5, idempotent: true}\n"
    )
    source = config.read(Path("c.yaml"))
    assert source.calls("shop") == {
        "f": Calls(timeout_ms=500, raises=("Gone",)),
        "g": Calls(timeout_ms=2500, idempotent=True),
    }
    assert source.calls("other") == {}


def test_all_mistakes_come_together(folder: Path) -> None:
    Path("c.yaml").write_text("a: 1\nmodules:\n  m:\n    b: 2\n")
    with pytest.raises(ConfigError) as caught:
        config.read(Path("c.yaml"))
    assert "c.yaml:1: there is no key `a`" in str(caught.value)
    assert "c.yaml:4: there is no key `b`" in str(caught.value)


def test_a_file_that_cannot_be_read_is_told(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.yaml: it cannot be read: No such file"):
        config.read(Path("gone.yaml"))
    Path("binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"binary\.yaml: it cannot be read: "):
        config.read(Path("binary.yaml"))


def test_the_published_schema_is_that_of_the_model() -> None:
    published = Path(config.__file__).with_name("config.schema.json").read_text("utf-8")
    assert published == config.schema_text()
    schema = json.loads(published)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(DATA)
    assert not validator.is_valid({"modul": {}})
    assert not validator.is_valid({"modules": {"a": {"elixir": "my_app"}}})


def test_the_documentation_of_a_key_is_in_the_schema() -> None:
    properties = config.json_schema()["$defs"]["ModuleConfig"]["properties"]
    assert all(textwrap.dedent(key["description"]) for key in properties.values())
