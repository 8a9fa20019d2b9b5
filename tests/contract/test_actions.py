"""Every action folder, found and not listed: its cases are its tests."""

import json
import shutil

import pytest
from pydantic import ValidationError

from app.actions import Subject, actions, cases, find
from app.triggers.catalogue import is_known
from app.triggers.service import RulesInvalid, parse
from integrations.kernel.errors import ConfigError

CASES = [pytest.param(key, path, id=f"{key}-{path.stem}") for key, path in cases()]
TEMPLATE = next(path.parent.parent for key, path in cases() if key == "add_tags")
SUBJECT = ("con_1", "35436", "a_rule")


def problems_of(action, raw):
    try:
        params = action.params.model_validate(raw)
    except ValidationError as error:
        return str(error)
    return "; ".join(action.check(params, "db_", is_known))


def run(action, path):
    case = json.loads(path.read_text(encoding="utf-8"))
    problems = problems_of(action, case["params"])
    if "refused" in case:
        assert case["refused"] in problems
        return
    assert problems == ""
    params = action.params.model_validate(case["params"])
    effects = action.plan(Subject(*SUBJECT, case["facts"], "ticket.created", "evt_1"), params)
    assert [{"kind": e.kind, "payload": e.payload} for e in effects] == case["effects"]
    assert all((e.connection_id, e.ticket_id, e.rule) == SUBJECT and e.key for e in effects)
    assert list(effects) == list(action.plan(Subject(*SUBJECT, case["facts"], "ticket.created", "evt_1"), params))


def copied(tmp_path, package, *names):
    """A package with the template action, once under each name."""
    for name in names:
        shutil.copytree(TEMPLATE, tmp_path / package / name, ignore=shutil.ignore_patterns("__pycache__"))
        source = tmp_path / package / name / "action.py"
        source.write_text(source.read_text().replace('"add_tags", "Add tags"', f'"{name}", "{name.title()}"'))
    (tmp_path / package / "__init__.py").write_text("")


@pytest.mark.parametrize(("key", "path"), CASES)
def test_every_case_of_every_action(key, path):
    run(actions()[key], path)


@pytest.mark.parametrize("key", sorted(actions()))
def test_every_action_has_a_case_that_acts_and_one_that_is_refused(key):
    documents = [json.loads(path.read_text(encoding="utf-8")) for name, path in cases() if name == key]
    assert any(document.get("effects") for document in documents)
    assert any("refused" in document for document in documents)


@pytest.mark.parametrize("key", sorted(actions()))
def test_the_example_in_every_readme_is_a_rule_that_imports(key):
    readme = (TEMPLATE.parent / key / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(f"# {key}\n")
    (step,) = [line.strip() for line in readme.splitlines() if line.startswith("    - ")]
    rule = f'rules: [{{id: shown, title: Shown, order: 1, when: ["*"], actions: [{step.removeprefix("- ")[:]}]}}]'
    try:
        parse(rule.replace(f"[{key}: {{", f"[{{{key}: {{").replace("}]}]", "}}]}]"))
    except RulesInvalid as error:
        pytest.fail(str(error))


def test_every_action_of_the_issue_is_there():
    wanted = {"add_tags", "remove_tags", "set_priority", "set_group", "set_assignee", "set_custom_field", "add_note"}
    assert wanted <= set(actions())


def test_a_new_folder_is_found_tested_and_listed_with_no_other_edit(tmp_path, monkeypatch):
    copied(tmp_path, "more_actions", "label")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = find("more_actions")
    assert found["label"].title == "Label"
    tested = list(cases("more_actions"))
    assert len(tested) == len(list((TEMPLATE / "cases").glob("*.json")))
    for key, path in tested:
        run(found[key], path)


@pytest.mark.parametrize("missing", ["action.py", "README.md", "cases", "__init__.py"])
def test_a_half_made_folder_is_refused_with_a_sentence(tmp_path, monkeypatch, missing):
    package = f"half_{missing.strip('_').split('.')[0].lower()}"
    copied(tmp_path, package, "label")
    gone = tmp_path / package / "label" / missing
    shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match=f"half made: add {missing}"):
        find(package)


def test_an_action_under_another_name_than_its_folder_is_refused(tmp_path, monkeypatch):
    copied(tmp_path, "misnamed", "label")
    (tmp_path / "misnamed" / "label").rename(tmp_path / "misnamed" / "sticker")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match="key 'sticker'"):
        find("misnamed")


def test_two_actions_with_one_title_are_refused(tmp_path, monkeypatch):
    copied(tmp_path, "doubled", "label", "sticker")
    source = tmp_path / "doubled" / "sticker" / "action.py"
    source.write_text(source.read_text().replace('"Sticker"', '"Label"'))
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match="is taken"):
        find("doubled")


def test_a_folder_that_git_left_empty_is_no_action(tmp_path, monkeypatch):
    copied(tmp_path, "left_over", "label")
    (tmp_path / "left_over" / "gone" / "__pycache__").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert set(find("left_over")) == {"label"}
