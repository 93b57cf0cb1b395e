from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "gov_chain.ledger"
    label = "ledger"
    verbose_name = "账本 Ledger"
