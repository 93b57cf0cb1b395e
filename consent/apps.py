from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "consent"
    label = "consent"

    def ready(self) -> None:
        from consent import grants, live, matters
        from consent.actions import close_withdrawn
        from consent.actions.erase_expired import Eraser
        from consent.actions.record_usage import SUBJECT as USAGE
        from consent.actions.settle_usage import settle_usage
        from gov_chain.ledger import following, relay
        from gov_chain.web import lifespan
        from gov_chain.web import live as web_live

        relay.on_outcome(USAGE, lambda outcome: settle_usage(outcome=outcome))
        relay.on_outcome(close_withdrawn.SUBJECT, close_withdrawn.on_withdrawal)
        relay.on_outcome(grants.SUBJECT, grants.on_outcome)
        relay.on_outcome(matters.SUBJECT, matters.on_outcome)
        following.on_entries(("matter", "matter-approve"), matters.on_entry, from_start=True)
        following.on_entries(("withdraw",), close_withdrawn.on_entry)
        web_live.register(live.TOPIC, live.may_watch_request)
        web_live.register("ledger", live.may_watch_ledger)
        eraser = Eraser()
        lifespan.register("consent eraser", eraser.start, eraser.stop)
