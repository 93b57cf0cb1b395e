from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "identity"
    label = "identity"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from gov_chain.ledger import documents, relay
        from gov_chain.web import lifespan, navigation
        from identity import acts, agencies, append_only, governance_acts, housekeeping, officers_log, rooms, sessions
        from identity.actions import anchor_log, erase_citizen, give_role
        from identity.login import recording

        relay.on_outcome(erase_citizen.TOPIC, erase_citizen.lodged)
        documents.look_elsewhere(agencies.elsewhere)
        navigation.register(rooms.entries)
        sessions.listen()
        recording.listen()
        governance_acts.register_all()
        acts.register("staff.give-power", execute=give_role.give_power, describe=give_role.describe_power)
        acts.register("officers-log.export", execute=officers_log.export, describe=officers_log.describe_export)
        relay.on_outcome(anchor_log.SUBJECT, anchor_log.on_outcome)
        housekeeper = housekeeping.Housekeeper()
        lifespan.register("officers' housekeeping", housekeeper.start, housekeeper.stop)
        # After every migration: SQLite makes a changed table anew, without its triggers.
        post_migrate.connect(append_only.after_migrate, sender=self)
