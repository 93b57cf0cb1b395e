"""Every route of a node. Each app owns its own paths; nothing here has logic."""

from django.urls import include, path

urlpatterns = [
    path("", include("gov_chain.web.urls")),
    path("", include("gov_chain.ledger.urls")),
    path("", include("gov_chain.ledger.explorer.urls")),
    path("", include("identity.urls")),
    path("", include("certificates.urls")),
    path("", include("consent.urls")),
]

handler400 = handler403 = handler404 = handler500 = "gov_chain.web.problems.handler"
