from django.apps import AppConfig


class CertificatesConfig(AppConfig):
    name = "certificates"
    label = "certificates"
    verbose_name = "证照"

    def ready(self) -> None:
        from certificates import outcomes, pages
        from gov_chain.ledger import relay
        from gov_chain.web import live

        relay.on_outcome("certificates.type", outcomes.type_decided)
        relay.on_outcome("certificates.certificate", outcomes.certificate_decided)
        relay.on_outcome("certificates.status", outcomes.status_decided)
        live.register("offer", pages.may_watch_offer)
        live.register("certificate", pages.may_watch_certificate)
