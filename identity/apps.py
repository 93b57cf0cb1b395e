from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "identity"
    label = "identity"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from gov_chain.ledger import documents
        from gov_chain.web import navigation
        from identity import agencies, append_only, rooms, sessions
        from identity.login import recording

        documents.look_elsewhere(agencies.elsewhere)
        navigation.register(rooms.entries)
        sessions.listen()
        recording.listen()
        # After every migration: SQLite makes a changed table anew, without its triggers.
        post_migrate.connect(append_only.after_migrate, sender=self)
