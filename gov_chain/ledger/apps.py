from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "gov_chain.ledger"
    label = "ledger"
