"""The explorer's routes. `uint` and `sha256` are registered by the ledger's own."""

from django.urls import URLPattern, URLResolver, path

from gov_chain.ledger.explorer import pages, registry_pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("explorer/", pages.overview),
    path("explorer/latest", pages.latest),
    path("explorer/entries/<uint:index>", pages.entry),
    path("explorer/handles/<sha256:handle>", pages.handle),
    path("explorer/find", pages.find),
    path("explorer/who", pages.powers),
    path("registry/", registry_pages.overview),
    path("registry/agencies/<uint:number>", registry_pages.agency),
    path("registry.json", registry_pages.overview_json),
    path("registry/agencies/<uint:number>.json", registry_pages.agency_json),
    path("registry/keys.json", registry_pages.key_json),
]
