import re
from pathlib import Path

import pytest
from django.template import Context, Template
from django.utils import translation

ROOT = Path(__file__).resolve().parents[2]
CHINESE = re.compile(r"[\u3400-\u9fff]")
TEMPLATES = sorted(
    path
    for part in ("gov_chain", "identity", "certificates", "consent")
    for path in (ROOT / part).rglob("templates/**/*.html")
)


def render(source, language, **context):
    with translation.override(language):
        return Template(source).render(Context(context))


def test_t_takes_the_text_of_the_language():
    assert render('{% t "是" "Yes" %}', "zh-hans") == "是"
    assert render('{% t "是" "Yes" %}', "en") == "Yes"


def test_t_fills_places_escaped():
    assert render('{% t "共 {n}" "{n} in all" n=n %}', "en", n="<b>") == "&lt;b&gt; in all"


def test_t_escapes_variables():
    assert render("{% t a a %}", "en", a="<b>") == "&lt;b&gt;"


def test_tr_renders_one_of_two_blocks():
    source = "{% tr %}看<b>这</b>{% en %}see <b>{{ what }}</b>{% endtr %}"
    assert render(source, "en", what="<x>") == "see <b>&lt;x&gt;</b>"
    assert render(source, "zh-hans") == "看<b>这</b>"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_chinese_text_of_a_template_has_its_english(path):
    source = path.read_text()
    for tag in re.findall(r"{%\s*t\s(.*?)%}", source):
        assert re.match(r"""("[^"]*"|'[^']*'|[\w.|:]+)\s+("[^"]*"|'[^']*'|[\w.|:]+)""", tag.strip()), tag
    bare = re.sub(r"{%\s*(t|pill|qr|short)\s.*?%}", "", source)
    bare = re.sub(r"{%\s*tr\s*%}.*?{%\s*en\s*%}", "", bare, flags=re.DOTALL)
    bare = re.sub(r"{#.*?#}|{%\s*comment\s*%}.*?{%\s*endcomment\s*%}", "", bare, flags=re.DOTALL)
    left = [line.strip() for line in bare.splitlines() if CHINESE.search(line)]
    assert not left, f"Chinese outside {{% t %}}: {left}"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_inline_script_or_style(path):
    source = path.read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|hx-on|javascript:", source)
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", source)


@pytest.mark.django_db
@pytest.mark.urls("tests.web.routes")
def test_chinese_is_the_default_whatever_the_browser_prefers(client):
    assert 'lang="zh-CN"' in client.get("/", headers={"accept-language": "en-US,en"}).text


@pytest.mark.django_db
@pytest.mark.urls("tests.web.routes")
def test_the_switch_is_remembered_and_leads_back(client):
    answer = client.get("/language?to=en&next=/healthz%3Fa%3D1")
    assert answer["Location"] == "/healthz?a=1"
    page = client.get("/").text
    assert 'lang="en"' in page
    assert not CHINESE.search(re.sub(r'<a [^>]*lang="zh-CN"[^>]*>中文</a>', "", page))


@pytest.mark.django_db
@pytest.mark.urls("tests.web.routes")
@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\/evil",
        "javascript:alert(1)",
        "/\t/evil",
        "",
        "///x",
    ],
)
def test_the_switch_leads_nowhere_else(client, target):
    assert client.get("/language", {"to": "en", "next": target})["Location"] == "/"


@pytest.mark.django_db
@pytest.mark.urls("tests.web.routes")
def test_an_unknown_language_changes_nothing(client):
    answer = client.get("/language?to=xx")
    assert "django_language" not in answer.cookies


@pytest.mark.django_db
@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_login_leads_nowhere_else(client, django_user_model, target):
    page = client.get("/login", {"next": target}, headers={"accept": "text/html"})
    assert page.status_code == 200
    assert f'value="{target}"' not in page.text
