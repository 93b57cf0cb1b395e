from django.apps import AppConfig


class CertificatesConfig(AppConfig):
    name = "certificates"
    label = "certificates"
    verbose_name = "证照"

    def ready(self) -> None:
        from certificates import bulk_revocation, mandates, outcomes, pages, status_pages
        from gov_chain.ledger import relay
        from gov_chain.web import live
        from identity import accounts, acts

        relay.on_outcome("certificates.type", outcomes.type_decided)
        relay.on_outcome("certificates.certificate", outcomes.certificate_decided)
        relay.on_outcome("certificates.status", outcomes.status_decided)
        acts.register(bulk_revocation.ACT, execute=bulk_revocation.revoke_many, describe=bulk_revocation.describe)
        live.register("offer", pages.may_watch_offer)
        live.register("certificate", status_pages.may_watch_certificate)
        accounts.register(
            accounts.Part(
                "mandates",
                "委托：您给出的委托先撤回，姓名和号码删除",
                "Mandates you gave: withdrawn first, names and numbers deleted",
                count=lambda citizen: len(mandates.of_principal(citizen)),
                erase=mandates.erase,
                close=mandates.close_all,
            )
        )
