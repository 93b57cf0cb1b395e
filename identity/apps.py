from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "identity"
    label = "identity"

    def ready(self) -> None:
        from gov_chain.ledger import documents
        from identity import agencies

        documents.look_elsewhere(agencies.elsewhere)
