from django.urls import URLPattern, URLResolver, include, path

from identity import api, console, home_pages, pages, phones_api

WALLET = "agencies/<slug:slug>/wallets/<uuid:wallet_id>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("identity.login.urls")),
    path("home/", home_pages.desk, name="home-desk"),
    path("home/<uuid:citizen_id>/<slug:act>", home_pages.act, name="home-act"),
    path("ledger-console/", console.console, name="ledger-console"),
    path("ledger-console/state", console.state, name="ledger-console-state"),
    path("install-ca", pages.install_ca, name="install-ca"),
    path("install-ca/govchain-dev-ca.crt", pages.install_ca_file, name="install-ca-file"),
    path("directory.json", api.directory, name="directory"),
    path("wallet/config.json", api.wallet_config, name="wallet-config"),
    path("consortium-ca.crt", api.consortium_ca, name="consortium-ca"),
    path("agencies/<slug:slug>/did.json", api.did_document, name="did-document"),
    path("agencies/<slug:slug>/did-history.json", api.did_history, name="did-history"),
    path("agencies/<slug:slug>/certificates", api.certificates, name="agency-certificates"),
    path("agencies/<slug:slug>/wallets", api.activate, name="wallet-activate"),
    path(f"{WALLET}/unlock", api.unlock, name="wallet-unlock"),
    path(f"{WALLET}/unlock/options", api.unlock_options, name="wallet-unlock-options"),
    path(f"{WALLET}/passkeys", api.passkey_register, name="wallet-passkeys"),
    path(f"{WALLET}/passkeys/options", api.passkey_options, name="wallet-passkey-options"),
    path(f"{WALLET}/phones", phones_api.listed, name="wallet-phones"),
    path(f"{WALLET}/phones/<uuid:phone_id>/end", phones_api.end, name="wallet-phone-end"),
    path(f"{WALLET}/name", phones_api.name, name="wallet-name"),
    path(f"{WALLET}/activations", phones_api.add, name="wallet-add-phone"),
    path(f"{WALLET}/backup", phones_api.backup, name="wallet-backup"),
    path("agencies/<slug:slug>/recovery", phones_api.recover, name="wallet-recovery"),
    path(f"{WALLET}/account", phones_api.account, name="wallet-account"),
    path(f"{WALLET}/account/delete", phones_api.delete, name="wallet-account-delete"),
    path("agencies/<slug:slug>/erasures/<uuid:number>", phones_api.erasure, name="erasure-proof"),
]
