"""Django settings. What differs between machines comes from `gov_chain.environment`."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from gov_chain import environment

GOVCHAIN = environment.read(os.environ)
ROOT = Path(__file__).resolve().parent.parent

SECRET_KEY = GOVCHAIN.secret_key
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", str(urlsplit(GOVCHAIN.base_url).hostname)]
CSRF_TRUSTED_ORIGINS = [GOVCHAIN.base_url]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_htmx",
    "csp",
    "gov_chain.web",
    "gov_chain.ledger",
    "identity",
    # After identity, whose templates are meant to be found first.
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "certificates",
    "consent",
]

MIDDLEWARE = [
    "gov_chain.web.measuring.MeasuringMiddleware",
    "gov_chain.web.cors.CorsMiddleware",
    "gov_chain.web.problems.ProblemMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "gov_chain.web.language.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "identity.sessions.SessionMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "gov_chain.urls"
ASGI_APPLICATION = "gov_chain.asgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "gov_chain.web.context.page",
            ],
            "builtins": ["gov_chain.web.templatetags.web", "identity.templatetags.staff"],
        },
    }
]

if GOVCHAIN.database_url == "sqlite":
    GOVCHAIN.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": GOVCHAIN.data / "node.sqlite3",
            # A file, so that tests' threads meet the same locks as a node's.
            "TEST": {"NAME": GOVCHAIN.data / "test.sqlite3"},
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
            },
        }
    }
else:
    _db = urlsplit(GOVCHAIN.database_url)
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _db.path.lstrip("/"),
            "USER": _db.username or "",
            "PASSWORD": _db.password or "",
            "HOST": _db.hostname or "",
            "PORT": str(_db.port or ""),
        }
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

if GOVCHAIN.redis_url:
    # Codes of second factors that were used once: every process has to know them.
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": GOVCHAIN.redis_url}}

CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [GOVCHAIN.redis_url]}}
    if GOVCHAIN.redis_url
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}

AUTH_USER_MODEL = "identity.Officer"
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {"user_attributes": ("username", "display_name", "email")}),
        ("MinimumLengthValidator", {"min_length": 12}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
]

# How officers log in (docs/decisions/0074): allauth does passwords, second factors and single sign-on; who may, how
# often and what is written down, identity says. Its rate limits live in a cache each process has for itself:
# `identity.throttle` counts.
ACCOUNT_ADAPTER = "identity.login.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
MFA_ADAPTER = "identity.login.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_TOTP_TOLERANCE = 1
MFA_RATE_LIMITS = False
MFA_FORMS = {
    "authenticate": "identity.login.forms.SecondFactorForm",
    "reauthenticate": "identity.login.forms.AgainForm",
    "activate_totp": "identity.login.forms.ActivateTotpForm",
    "add_webauthn": "identity.login.forms.AddPasskeyForm",
    "authenticate_webauthn": "identity.login.forms.PasskeyForm",
    "login_webauthn": "identity.login.forms.PasskeyLoginForm",
    "reauthenticate_webauthn": "identity.login.forms.PasskeyAgainForm",
}
SOCIALACCOUNT_ADAPTER = "identity.login.sso.SsoAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

STATIC_URL = "/static/"
STATICFILES_DIRS = [("wallet", ROOT / "wallet" / "dist")]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = GOVCHAIN.name == "development"
SILENCED_SYSTEM_CHECKS = ["staticfiles.W004"]

# The ASGI door refuses more before Django sees it; this is the same limit for other doors.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 4
CSRF_FAILURE_VIEW = "gov_chain.web.problems.csrf_failure"

_https = GOVCHAIN.base_url.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_SAMESITE = "Lax"
if GOVCHAIN.hosted:
    # Browsers tell cookies apart by host and not by port: nodes of one machine would log each other's officers out.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = (
        f"{name}-{'-'.join(GOVCHAIN.hosted)}" for name in ("sessionid", "csrftoken")
    )
# identity.sessions ends an officer's sooner.
SESSION_COOKIE_AGE = 12 * 3600
SECURE_HSTS_SECONDS = 31536000 if GOVCHAIN.production else 0
# Not "no-referrer": browsers would then send `Origin: null` with our own forms, which the CSRF check refuses.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "media-src": [SELF, "blob:"],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# gov_chain.web.problems logs what failed, without the values Django's own record would hold.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname:<7} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "uvicorn.error": {"level": "WARNING"},
        "django.request": {"level": "CRITICAL"},
        "django.security": {"level": "CRITICAL"},
    },
}
