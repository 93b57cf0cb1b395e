from django.urls import URLPattern, URLResolver, path

from certificates import api, bulk_pages, mandate_pages, mandates_api, pages, status_api, status_pages

urlpatterns: list[URLPattern | URLResolver] = [
    # Well-known addresses go between host and path (OpenID4VCI 1.0 §12.2.2, RFC 8414 §3.1, SD-JWT VC §5.1).
    path(".well-known/openid-credential-issuer/agencies/<slug:slug>", api.credential_issuer_metadata),
    path(".well-known/oauth-authorization-server/agencies/<slug:slug>", api.authorization_server_metadata),
    path(".well-known/jwt-vc-issuer/agencies/<slug:slug>", api.jwt_vc_issuer_metadata),
    path("agencies/<slug:slug>/oid4vci/offers/<uuid:offer_id>", api.offer),
    path("agencies/<slug:slug>/oid4vci/token", api.token),
    path("agencies/<slug:slug>/oid4vci/nonce", api.nonce),
    path("agencies/<slug:slug>/oid4vci/credential", api.credential),
    path("agencies/<slug:slug>/oid4vci/deferred", api.deferred),
    path("agencies/<slug:slug>/oid4vci/notification", api.notification),
    path("agencies/<slug:slug>/status/<uint:type_number>/<uint:number>", status_api.token_list),
    path("agencies/<slug:slug>/status/<uint:type_number>/<uint:number>/<slug:purpose>", status_api.bitstring_list),
    path("agencies/<slug:slug>/wallets/<uuid:wallet_id>/mandates", mandates_api.collection),
    path("agencies/<slug:slug>/wallets/<uuid:wallet_id>/mandates/<uuid:mandate_id>/withdraw", mandates_api.withdraw),
    path("agencies/<slug:slug>/mandates/use", mandates_api.use),
    path("agencies/<slug:slug>/mandates/confirm", mandates_api.confirm),
    path("issuing/", pages.desk, name="issuing"),
    path("issuing/search", pages.search, name="issuing-search"),
    path("issuing/offers", pages.offer, name="issuing-offer"),
    path("issuing/offers/<uuid:offer_id>", pages.offer_page, name="issuing-offer-page"),
    path("issuing/mandates/", mandate_pages.desk, name="issuing-mandates"),
    path("issuing/mandates/make", mandate_pages.make, name="issuing-mandates-make"),
    path("issuing/mandates/<uuid:mandate_id>/withdraw", mandate_pages.withdraw, name="issuing-mandates-withdraw"),
    path("issuing/certificates/<uuid:certificate_id>", status_pages.certificate, name="issuing-certificate"),
    path("issuing/certificates/<uuid:certificate_id>/status", status_pages.change, name="issuing-status"),
    path("issuing/revoke-many", bulk_pages.revoke_many, name="issuing-revoke-many"),
    path("issuing/issued", pages.issued, name="issuing-issued"),
]
