import pytest
from django.conf import settings

from gov_chain.web import pages, qr

pytestmark = [pytest.mark.urls("tests.web.routes"), pytest.mark.django_db]

DOORS = ["/wallet/", "/counter/", "/issuing/", "/audit/"]


def test_the_landing_page_opens_four_doors(client):
    page = client.get("/").text
    assert all(f'href="{door}"' in page for door in DOORS)
    assert "演示环境" in page


def test_every_answer_carries_the_security_headers(client):
    for path in ("/", "/nowhere", "/healthz"):
        answer = client.get(path, headers={"accept": "text/html"})
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"


def test_health_is_answered_and_never_cached(client):
    answer = client.get("/healthz")
    assert answer.json() == {"ok": True}
    assert answer["Cache-Control"] == "no-store"


def test_an_unbuilt_wallet_says_how_to_build_it(client, monkeypatch, tmp_path):
    monkeypatch.setattr(pages, "WALLET", tmp_path)
    answer = client.get("/wallet/", headers={"accept": "text/html"})
    assert answer.status_code == 503
    assert "make setup" in answer.text


@pytest.mark.parametrize(
    ("path", "file", "kind"),
    [
        ("/wallet/", "index.html", "text/html; charset=utf-8"),
        ("/wallet/sw.js", "sw.js", "text/javascript; charset=utf-8"),
        ("/wallet/manifest.webmanifest", "manifest.webmanifest", "application/manifest+json"),
    ],
)
def test_the_wallet_s_shell_is_fresh_and_under_policy(client, monkeypatch, tmp_path, path, file, kind):
    monkeypatch.setattr(pages, "WALLET", tmp_path)
    (tmp_path / file).write_text("content")
    answer = client.get(path)
    assert (answer.content, answer["Content-Type"], answer["Cache-Control"]) == (b"content", kind, "no-cache")
    assert "script-src 'self'" in answer["Content-Security-Policy"]


def test_the_style_guide_shows_in_development_only(client, monkeypatch):
    assert client.get("/styleguide").status_code == 200
    monkeypatch.setattr(type(settings.GOVCHAIN), "production", property(lambda self: True))
    assert client.get("/styleguide").status_code == 404


def test_a_qr_code_is_svg_without_style_or_text():
    picture = qr.svg("https://example.org/<script>", label='"请扫码"')
    assert picture.startswith('<span class="qr" role="img" aria-label="&quot;请扫码&quot;">')
    assert "style" not in picture
    assert "script" not in picture
