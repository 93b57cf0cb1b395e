from django.urls import path

from gov_chain.web import language, pages

urlpatterns = [
    path("", pages.landing),
    path("language", language.switch),
    path("healthz", pages.health),
    path("styleguide", pages.styleguide),
    path("wallet/", pages.wallet),
    path("wallet/sw.js", pages.wallet, {"name": "sw.js"}),
    path("wallet/manifest.webmanifest", pages.wallet, {"name": "manifest.webmanifest"}),
]
