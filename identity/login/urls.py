"""allauth asks for its views by name; where they are is ours."""

from allauth.mfa.base import views as mfa
from allauth.mfa.webauthn import views as webauthn
from django.urls import URLPattern, URLResolver, path

from identity.login import sso, views

FACTOR = "account/second-factor"

urlpatterns: list[URLPattern | URLResolver] = [
    path("login", views.Login.as_view(), name="account_login"),
    path("login/second-factor", mfa.authenticate, name="mfa_authenticate"),
    path("login/passkey", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path("login/sso/<slug:provider_id>", sso.begin, name="openid_connect_login"),
    path("login/sso/<slug:provider_id>/callback", sso.callback, name="openid_connect_callback"),
    path("logout", views.Logout.as_view(), name="account_logout"),
    path("account/", views.overview, name="account"),
    path("account/password", views.password, name="account_change_password"),
    path("account/sessions/end", views.end_session),
    path("account/sessions/<uuid:session_id>/end", views.end_session),
    path("account/sso/<slug:provider_id>/link", sso.link),
    path("account/sso/<slug:provider_id>/unlink", sso.unlink),
    path("account/again", views.again, name="account_reauthenticate"),
    path("account/again/code", views.again_code, name="mfa_reauthenticate"),
    path("account/again/passkey", views.again_passkey, name="mfa_reauthenticate_webauthn"),
    path(f"{FACTOR}/", views.second_factor, name="mfa_index"),
    path(f"{FACTOR}/totp", views.totp_add, name="mfa_activate_totp"),
    path(f"{FACTOR}/totp/remove", views.totp_remove, name="mfa_deactivate_totp"),
    path(f"{FACTOR}/passkeys", views.passkeys, name="mfa_list_webauthn"),
    path(f"{FACTOR}/passkeys/add", views.passkey_add, name="mfa_add_webauthn"),
    path(f"{FACTOR}/passkeys/<int:pk>/remove", views.passkey_remove, name="mfa_remove_webauthn"),
    path(f"{FACTOR}/codes", views.recovery_codes, name="mfa_view_recovery_codes"),
    path(f"{FACTOR}/codes/new", views.recovery_codes_new, name="mfa_generate_recovery_codes"),
]
