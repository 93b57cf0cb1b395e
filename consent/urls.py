from django.urls import URLPattern, URLResolver, path

from consent import api, audit_pages, home_pages, pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("agencies/<slug:slug>/oid4vp/requests/<uuid:request_id>", api.request_object),
    path("agencies/<slug:slug>/oid4vp/responses/<uuid:request_id>", api.response),
    path("agencies/<slug:slug>/grants", api.grants),
    path("agencies/<slug:slug>/grants/confirm", api.confirm),
    path("agencies/<slug:slug>/grants/release", api.release),
    path("agencies/<slug:slug>/grants/forwarded", api.forwarded),
    path("home/<uuid:citizen_id>/grants/", home_pages.listed),
    path("home/<uuid:citizen_id>/grants/withdraw", home_pages.withdraw),
    path("home/<uuid:citizen_id>/grants/mandate", home_pages.withdraw_mandate),
    path("counter/", pages.counter),
    path("counter/requests", pages.ask),
    path("counter/requests/<uuid:request_id>", pages.presentation),
    path("counter/requests/<uuid:request_id>/state", pages.presentation_state),
    path("counter/requests/<uuid:request_id>/again", pages.again),
    path("counter/requests/<uuid:request_id>/receipt", pages.receipt),
    path("matters/", pages.guides),
    path("matters/representable.json", api.representable),
    path("matters/<slug:slug>", pages.guide),
    path("matters/<slug:slug>/present", pages.present),
    path("matters/<slug:slug>/present/other", pages.present_other),
    path("matters/<slug:slug>/requests/<uuid:request_id>", pages.other_wallet),
    path("matters/<slug:slug>/done", pages.done),
    path("audit/", audit_pages.feed),
    path("audit/rows", audit_pages.rows),
    path("audit/export", audit_pages.export),
]
