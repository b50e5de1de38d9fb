"""`clusters:` in fabric.yml: what users may write there, and what they are told when it is wrong."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.model import configuration
from tasks.model.cluster import Cluster
from tasks.model.errors import InvalidInput
from tasks.model.resources import Resources


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and an empty working directory beside it."""
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(here)
    return home


def load(text: str | bytes) -> configuration.Configuration:
    Path("fabric.yml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return configuration.load(reserved={"submit", "put", "testbed"})


def refusal(text: str | bytes) -> str:
    with pytest.raises(InvalidInput) as refused:
        load(text)
    assert str(refused.value).isprintable()
    return str(refused.value)


def test_the_example_of_the_manual_is_understood(home: Path) -> None:
    cluster = load("""
clusters:
  sharc:
    host: sharc.example.org
    user: te1st
    port: 2222
    ssh_config: ~/.ssh/config
    scheduler: gridengine
    directory: /fastdata/te1st/jobs
    setup: [module load sge, 'export A="b c"']
    resources: {time: 1:00:00, memory: 4G, mail-on: bea, at_once: 20}
    names: {memory: rmem, gpus: gpu, smp: smp, mpi: mpi}
    options: [-P myproject]
    mail: te1st@example.org
run:
  echo: true
""").cluster("sharc")
    assert cluster == Cluster(
        name="sharc",
        host="sharc.example.org",
        user="te1st",
        port=2222,
        ssh_config=home / ".ssh/config",
        scheduler="gridengine",
        directory="/fastdata/te1st/jobs",
        setup=("module load sge", 'export A="b c"'),
        resources=Resources(time=3600, memory=4 * 1024**3, mail_on="bea", at_once=20),
        names={"memory": "rmem", "gpus": "gpu", "smp": "smp", "mpi": "mpi"},
        options=("-P myproject",),
        mail="te1st@example.org",
        source=Path("fabric.yml"),
    )


def test_f11_times_are_not_turned_into_other_numbers_by_yaml() -> None:
    times = {
        text: load(f"clusters: {{s: {{resources: {{time: {text}}}}}}}") for text in ("24:00", "1:30:00", "08:00:00")
    }
    assert [times[text].cluster("s").resources.time for text in times] == [86400, 5400, 28800]


def test_f11_a_user_called_no_is_called_no() -> None:
    assert load("clusters: {s: {user: no}}").cluster("s").user == "no"


def test_a_name_alone_is_a_cluster() -> None:
    assert load("clusters:\n  sharc:\n").cluster("sharc") == Cluster("sharc", "sharc", source=Path("fabric.yml"))


def test_a_single_line_of_setup_needs_no_list() -> None:
    assert load("clusters: {s: {setup: module load sge, options: -P p}}").cluster("s").setup == ("module load sge",)


def test_a_host_that_is_not_configured_is_what_ssh_makes_of_it() -> None:
    assert load("").cluster("login.hpc.example.org") == Cluster("login.hpc.example.org", "login.hpc.example.org")


def test_without_any_file_there_are_no_clusters() -> None:
    assert configuration.load().clusters == {}


@pytest.mark.parametrize("text", ["", "# nothing\n", "clusters:\n", "clusters: {}\n", "run: {echo: true}\n", "\ufeff"])
def test_a_file_without_clusters_is_fine(text: str) -> None:
    assert load(text).clusters == {}


def test_f10_a_later_file_wins_key_by_key_and_mappings_merge(home: Path) -> None:
    registered = home / ".local/state/submithost/testbed"
    registered.mkdir(parents=True)
    (registered / "clusters.yml").write_text("clusters: {sandbox: {port: 4022, user: me}, sharc: {user: lowest}}")
    (home / ".fabric.yml").write_text(
        "clusters: {sharc: {user: te1st, names: {memory: rmem, smp: smp}, setup: [a, b],"
        " resources: {time: 1:00:00, cores: 2}}}"
    )
    found = load("clusters: {sharc: {names: {smp: openmp}, setup: [c], resources: {cores: 4}}, sandbox: {user: you}}")
    sharc = found.cluster("sharc")
    assert (sharc.user, sharc.setup) == ("te1st", ("c",))
    assert sharc.names == {"memory": "rmem", "smp": "openmp"}
    assert sharc.resources == Resources(time=3600, cores=4)
    assert (found.cluster("sandbox").port, found.cluster("sandbox").user) == (4022, "you")


def test_the_file_beside_the_fabfile_is_read_wherever_one_stands(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project/fabric.yml").write_text("clusters: {sharc: {ssh_config: ssh/config}}")
    found = configuration.load(tmp_path / "project").cluster("sharc")
    assert found.source == tmp_path / "project/fabric.yml"
    assert found.ssh_config == tmp_path / "project/ssh/config"


def test_a_cluster_answers_to_the_name_that_invoke_shows() -> None:
    found = load("clusters: {my_hpc: {host: hpc}}")
    assert found.cluster("my-hpc").host == found.cluster("my_hpc").host == "hpc"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clusters: {s: {hots: x}}", "fabric.yml: cluster 's': unknown key 'hots'; did you mean 'host'?"),
        ("clusters: {s: {Host: x}}", "fabric.yml: cluster 's': unknown key 'Host'; did you mean 'host'?"),
        ("clusters: {s: {port: ssh}}", "cluster 's': port: port 'ssh' is not a whole number"),
        ("clusters: {s: {port: 65536}}", "larger than 65535"),
        ("clusters: {s: {host: }}", "cluster 's': host: '' is not a host name"),
        ("clusters: {s: {host: -oProxyCommand=x}}", "is not a host name"),
        ("clusters: {s: {user: [a]}}", "cluster 's': user: is a list, not text"),
        ("clusters: {s: {mail: }}", "cluster 's': mail: has no value"),
        ('clusters: {s: {directory: "a\\nb"}}', "directory: 'a\\\\nb' has a line break"),
        ("clusters: {s: {setup: [[a]]}}", "cluster 's': setup: is a list, not text"),
        ("clusters: {s: {resources: 4G}}", "cluster 's': resources: is text, not a mapping"),
        (
            "clusters: {s: {resources: {tiem: 1}}}",
            "cluster 's': resources: unknown key 'tiem'; did you mean 'time'?",
        ),
        ("clusters: {s: {resources: {time: 24x}}}", "cluster 's': resources: time '24x' is neither"),
        ("clusters: {s: {resources: {at-once: 1, at_once: 2}}}", "given twice"),
        (
            "clusters: {s: {names: {memroy: x}}}",
            "cluster 's': names: unknown key 'memroy'; did you mean 'memory'?",
        ),
        (
            "clusters: {s: {names: {memory: r mem}}}",
            "cluster 's': names: memory: 'r mem' is not a name of letters, digits and _.-/:",
        ),
        ("clusters: {s: {options: [-P p, -l 'x]}}", """options: "-l 'x": No closing quotation"""),
        ("clusters: {s: {options: myproject}}", "options: 'myproject' is not an option of the scheduler"),
        ("clusters: {s: 5}", "cluster 's': is text, not a mapping"),
        ("clusters: [s]", "fabric.yml: clusters: is a list, not a mapping"),
        ("cluster: {s: }", "fabric.yml: unknown key 'cluster'; did you mean 'clusters'?"),
        ("Clusters: {s: }", "unknown key 'Clusters'; did you mean 'clusters'?"),
    ],
)
def test_a_mistake_names_file_cluster_key_and_the_nearest_right_one(text: str, message: str) -> None:
    assert message in refusal(text)


@pytest.mark.parametrize(
    "name", ["hpc.example.org", "", "a b", "a/b", "me@x", "x:22", "a,b", "-x", '"a\\nb"', "submit", "testbed"]
)
def test_f12_some_names_cannot_be_those_of_clusters(name: str) -> None:
    assert "fabric.yml: cluster " in refusal(f"clusters:\n  ? {name or repr('')}\n  : host: x\n")


def test_f12_two_names_that_invoke_makes_one_are_refused(home: Path) -> None:
    (home / ".fabric.yml").write_text("clusters: {my_hpc: }")
    said = refusal("clusters: {my-hpc: }")
    assert "fabric.yml: cluster 'my-hpc' and 'my_hpc' in " in said
    assert str(home / ".fabric.yml") in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nclusters:\n\ts: {}\n", "fabric.yml:3: indented with a tab; YAML wants spaces"),
        ("clusters: {s: }\na: [\n", "fabric.yml:3: "),
        ("clusters:\n  s:\n    host: a\n    user: u\n    host: b\n", "fabric.yml:5: 'host' is given twice"),
        ("clusters: {s: {}}\nclusters: {t: {}}\n", "fabric.yml:2: 'clusters' is given twice"),
        (b"a: 1\n# caf\xe9\n", "fabric.yml:2: not UTF-8 text (byte 0xe9)"),
        ("a: 1\nb: \x01\n", "fabric.yml:2: control characters are not allowed"),
        ("- a\n", "fabric.yml:1: not a mapping of names to values"),
        ("a: 1\n---\nb: 1\n", "fabric.yml:2: a second document"),
        ("a: *b\n", "fabric.yml:1: alias '*b' has no anchor before it"),
        ("a: &a [*a]\n", "fabric.yml:1: alias '*a' has no anchor before it"),
        ("a: " + "[" * 45, "fabric.yml:1: nested more than 40 deep"),
        ("a: " + "[" * 30000, "fabric.yml:1: "),  # libyaml may be the first to say so
        ("? [a]\n: b\n", "fabric.yml:1: a key that is not text"),
    ],
)
def test_a_file_that_is_no_yaml_is_one_line_with_its_number(text: str | bytes, message: str) -> None:
    assert refusal(text).startswith(message)


def test_no_tag_builds_an_object() -> None:
    assert load("clusters: {s: {user: !!python/name:os.system x}}").cluster("s").user == "x"


def test_settings_can_be_shared_by_anchors_and_merge_keys() -> None:
    found = load("common: &c {user: te1st, port: 22}\nclusters: {a: {<<: *c}, b: {<<: *c, user: b}}")
    assert [(found.cluster(name).user, found.cluster(name).port) for name in "ab"] == [
        ("te1st", 22),
        ("b", 22),
    ]


def test_a_billion_laughs_are_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, 12)]
    assert "more than 1000000 values, aliases included" in refusal("\n".join(lines))


def test_a_file_that_cannot_be_read_is_one_line(home: Path) -> None:
    (home / ".fabric.yml").mkdir()
    assert refusal("") == f"{home}/.fabric.yml: cannot be read: Is a directory"


_WORDS = st.sampled_from(
    ["clusters", "s", "host", "resources", "time", "names", "setup", "24:00", "[", "]", "{", "}", ":", ": "]
)
_YAML = st.lists(
    _WORDS | st.sampled_from(["\n", "  ", "- ", ", ", "&a ", "*a", "!!x ", '"', "'", "|", "\t", "<<"])
).map("".join)


@given(data=st.binary() | st.text().map(str.encode) | _YAML.map(str.encode))
@example(data=b"\xff\xfe")
@example(data=b'clusters: {a: {host: "\\ud800"}}')
def test_whatever_bytes_a_file_has_it_is_read_or_refused_on_one_line(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "fabric.yml").write_bytes(data)
        said = ""
        try:
            configuration.load(Path(directory))
        except InvalidInput as error:
            said = str(error)
        assert said == "" or said.isprintable()
