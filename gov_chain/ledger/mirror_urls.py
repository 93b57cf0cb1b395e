"""Routes of `govchain ledger serve`."""

from gov_chain.ledger.urls import readable

urlpatterns = readable

handler400 = handler403 = handler404 = handler500 = "gov_chain.web.problems.handler"
