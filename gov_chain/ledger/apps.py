from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "gov_chain.ledger"
    label = "ledger"
    verbose_name = "账本 Ledger"

    def ready(self) -> None:
        from gov_chain.ledger import following

        following.on_entries(following.NAMING, following.want_documents, from_start=True)
