from django.urls import URLPattern, URLResolver, path

from identity import api, console, pages

WALLET = "agencies/<slug:slug>/wallets/<uuid:wallet_id>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("login", pages.Login.as_view(), name="login"),
    path("logout", pages.Logout.as_view(), name="logout"),
    path("home/", pages.desk, name="home-desk"),
    path("home/<uuid:citizen_id>/activate", pages.desk_act, {"act": "activate"}, name="home-activate"),
    path("home/<uuid:citizen_id>/restore", pages.desk_act, {"act": "restore"}, name="home-restore"),
    path("home/<uuid:citizen_id>/revoke", pages.desk_act, {"act": "revoke"}, name="home-revoke"),
    path("ledger-console/", console.console, name="ledger-console"),
    path("ledger-console/state", console.state, name="ledger-console-state"),
    path("install-ca", pages.install_ca, name="install-ca"),
    path("install-ca/govchain-dev-ca.crt", pages.install_ca_file, name="install-ca-file"),
    path("directory.json", api.directory, name="directory"),
    path("wallet/config.json", api.wallet_config, name="wallet-config"),
    path("consortium-ca.crt", api.consortium_ca, name="consortium-ca"),
    path("agencies/<slug:slug>/did.json", api.did_document, name="did-document"),
    path("agencies/<slug:slug>/wallets", api.activate, name="wallet-activate"),
    path(f"{WALLET}/unlock", api.unlock, name="wallet-unlock"),
    path(f"{WALLET}/unlock/options", api.unlock_options, name="wallet-unlock-options"),
    path(f"{WALLET}/passkeys", api.passkey_register, name="wallet-passkeys"),
    path(f"{WALLET}/passkeys/options", api.passkey_options, name="wallet-passkey-options"),
]
