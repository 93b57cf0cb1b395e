from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "consent"
    label = "consent"

    def ready(self) -> None:
        from consent import citizen_grants, grants, live, matters
        from consent.actions import close_withdrawn, export_audit
        from consent.actions.erase_expired import Eraser
        from consent.actions.record_usage import SUBJECT as USAGE
        from consent.actions.settle_usage import settle_usage
        from consent.actions.withdraw_for_citizen import withdraw_for_citizen
        from gov_chain.ledger import following, relay
        from gov_chain.web import lifespan
        from gov_chain.web import live as web_live
        from identity import accounts, acts

        relay.on_outcome(USAGE, lambda outcome: settle_usage(outcome=outcome))
        relay.on_outcome(close_withdrawn.SUBJECT, close_withdrawn.on_withdrawal)
        relay.on_outcome(grants.SUBJECT, grants.on_outcome)
        relay.on_outcome(matters.SUBJECT, matters.on_outcome)
        following.on_entries(("matter", "matter-approve"), matters.on_entry, from_start=True)
        following.on_entries(("withdraw",), close_withdrawn.on_entry)
        web_live.register(live.TOPIC, live.may_watch_request)
        web_live.register("ledger", live.may_watch_ledger)
        accounts.register(
            accounts.Part(
                "grants",
                "授权记录：同意内容、撤回密钥；仍有效的授权先撤回",
                "Grants: consent records and keys; those still live are withdrawn first",
                count=lambda citizen: len(citizen_grants.of_citizen(citizen)),
                erase=citizen_grants.erase,
                close=lambda citizen: withdraw_for_citizen(citizen=citizen, which=None),
            )
        )
        acts.register("audit.export", execute=export_audit.export_audit, describe=export_audit.describe_export)
        eraser = Eraser()
        lifespan.register("consent eraser", eraser.start, eraser.stop)
