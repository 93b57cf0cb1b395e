"""Single sign-on at an agency's own identity provider (OpenID Connect 1.0, code flow with PKCE).

1. A provider logs in officers of its one agency.
2. It makes no accounts. An identity (`sub`) is linked to an officer who linked it while logged in, or whose open
   invitation names the e-mail address that the provider vouches for (`email_verified`); after that the `sub` alone
   counts.
3. The ID token's signature, issuer, audience and times are checked, also where it came straight from the token
   endpoint.
4. Groups become roles only where the node's file maps them; the roles of other accounts and other roles stay as they
   are.
5. A second factor set up here is asked for here, whatever the provider asked for.
"""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.views.decorators.http import require_POST, require_safe
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from requests import RequestException

from gov_chain import clock
from gov_chain.single_sign_on import Provider
from gov_chain.web.language import local_path, pick
from identity import officers
from identity.actions.follow_groups import follow_groups
from identity.errors import IdentityError
from identity.login.adapters import refuse_second_session
from identity.models import Agency, Officer, OfficerInvitation
from identity.officers import officer_may, officer_of

ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA"]
LEEWAY = 60
PATIENCE = 5


def offered(agency: Agency | None = None) -> list[Provider]:
    """The providers of the agencies on this node, or of one."""
    slugs = Agency.objects.filter(hosted=True).values_list("slug", flat=True) if agency is None else [agency.slug]
    return [each for each in settings.GOVCHAIN.sso if each.agency in slugs]


def provider_of(provider_id: str) -> Provider:
    found = next((each for each in offered() if each.id == provider_id), None)
    if found is None:
        raise IdentityError("sso-unknown")
    return found


class SsoAdapter(DefaultSocialAccountAdapter):
    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """The node's file is the only source; a row in the database is none."""
        return [_app(each) for each in offered() if provider in (None, "openid_connect", each.id)]

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: SocialAccount) -> str:
        return "/account/"

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """The officers' log tells."""

    def get_requests_session(self) -> Any:
        session = super().get_requests_session()
        session.max_redirects = 0
        session.trust_env = False
        return session

    def on_authentication_error(self, request: HttpRequest, provider: Any, *args: Any, **kwargs: Any) -> None:
        exception = kwargs.get("exception")
        if isinstance(exception, RequestException):
            raise IdentityError("sso-unreachable", log=type(exception).__name__)
        raise IdentityError("sso-failed", log=type(exception).__name__ if exception else "")

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Rules 1, 2 and 4, before allauth goes on. Raises `IdentityError`."""
        provider = provider_of(sociallogin.account.provider)
        if sociallogin.state.get("process") == "connect":
            officer = officer_of(request)
            if sociallogin.is_existing and sociallogin.user != officer:
                raise IdentityError("sso-taken")
            _own(officer, provider)
            return
        refuse_second_session(request)
        if not sociallogin.is_existing:
            _by_invitation(request, sociallogin, provider)
        officer = sociallogin.user
        _own(officer, provider)
        if provider.roles:
            follow_groups(officer=officer, provider=provider, groups=_groups(sociallogin, provider))


class OidcAdapter(OpenIDConnectOAuth2Adapter):
    """Rule 3: the provider's word is its signed ID token, and none of it but `sub` is kept."""

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any) -> SocialLogin:
        claims = self._decode_id_token(app, str(kwargs["response"].get("id_token", "")))
        login = self.get_provider().sociallogin_from_response(request, {"id_token": claims})
        login.account.extra_data = {}
        login.claims = claims
        return login

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        issuer = app.settings["server_url"]
        if self.openid_config.get("issuer", "").rstrip("/") != issuer:
            raise OAuth2Error("issuer")
        with SsoAdapter(self.request).get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
        try:
            keys = KeySet.import_key_set(answer.json())
            token = jwt.decode(id_token, keys, algorithms=ALGORITHMS)
            jwt.JWTClaimsRegistry(
                now=clock.now(),
                leeway=LEEWAY,
                iss={"essential": True, "values": [issuer, f"{issuer}/"]},
                aud={"essential": True, "value": app.client_id},
                exp={"essential": True},
                iat={"essential": True},
                sub={"essential": True},
            ).validate(token.claims)
        except (JoseError, ValueError) as error:
            raise OAuth2Error(type(error).__name__) from error
        return dict(token.claims)


@require_safe
def begin(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """`/login/sso/<provider>`: on to the provider. By link: a browser follows no form to another site (CSP)."""
    provider = provider_of(provider_id)
    refuse_second_session(request)
    return _redirect(request, provider, "login", local_path(request.GET.get("next"), ""))


@require_safe
def callback(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Where the provider sends the browser back to."""
    provider_of(provider_id)
    try:
        answer: HttpResponseBase = OAuth2CallbackView.adapter_view(OidcAdapter(request, provider_id))(request)
    except (KeyError, ValueError) as error:
        # Not an OpenID provider's answers: JSON that is none, members that are missing.
        raise IdentityError("sso-failed", log=type(error).__name__) from error
    return answer


@require_safe
@officer_may("account.sso")
def link(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """From the account page: link one's identity at the provider."""
    provider = provider_of(provider_id)
    _own(officer_of(request), provider)
    return _redirect(request, provider, "connect", "/account/")


@require_POST
@officer_may("account.sso")
def unlink(request: HttpRequest, provider_id: str) -> HttpResponse:
    officer = officer_of(request)
    linked = SocialAccount.objects.filter(user=officer, provider=provider_id)
    if not linked.exists() or not officer.has_usable_password():
        raise IdentityError("sso-unknown")
    linked.delete()
    officers.note(request, "account.sso", object=f"unlink {provider_id}")
    messages.success(request, pick("已取消关联。", "No longer linked."))
    return HttpResponseRedirect("/account/")


def _redirect(request: HttpRequest, provider: Provider, process: str, next_url: str) -> HttpResponseBase:
    adapter = OidcAdapter(request, provider.id)
    allauth_provider = adapter.get_provider()
    allauth_provider.oauth2_adapter_class = OidcAdapter
    try:
        answer: HttpResponseBase = allauth_provider.redirect(request, process=process, next_url=next_url or None)
    except (RequestException, KeyError, ValueError) as error:
        raise IdentityError("sso-unreachable", log=type(error).__name__) from error
    return answer


def _app(provider: Provider) -> SocialApp:
    return SocialApp(
        provider="openid_connect",
        provider_id=provider.id,
        name=pick(provider.name_zh, provider.name_en),
        client_id=provider.client_id,
        secret=provider.client_secret,
        settings={
            "server_url": provider.issuer,
            "oauth_pkce_enabled": True,
            "fetch_userinfo": False,
            "scope": ["openid", "email"],
        },
    )


def _own(officer: Officer, provider: Provider) -> None:
    if officer.agency.slug != provider.agency:
        raise IdentityError("sso-other-agency")


def _by_invitation(request: HttpRequest, sociallogin: SocialLogin, provider: Provider) -> None:
    claims = sociallogin.claims
    address = str(claims.get("email") or "")
    invited = OfficerInvitation.objects.filter(
        officer__email__iexact=address,
        officer__agency__slug=provider.agency,
        officer__is_active=True,
        closed_at__isnull=True,
        expires_at__gt=clock.now(),
    )
    found = list(invited.select_related("officer__agency")) if address and claims.get("email_verified") is True else []
    if len(found) != 1:
        raise IdentityError("sso-not-invited")
    if invited.filter(pk=found[0].pk).update(closed_at=clock.now()) != 1:
        raise IdentityError("sso-not-invited")
    sociallogin.connect(request, found[0].officer)


def _groups(sociallogin: SocialLogin, provider: Provider) -> set[str]:
    groups = sociallogin.claims.get(provider.groups_claim)
    return {str(group) for group in groups} if isinstance(groups, list) else set()
