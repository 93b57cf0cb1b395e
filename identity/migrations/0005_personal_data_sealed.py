"""Names and identity numbers go under each citizen's data key; what is there is sealed on the way.

Needs the key store of a node that has citizens. The data keys stay: grants are kept under them.
"""

from django.db import migrations, models

from gov_chain import keys
from identity import key_names, personal

AT_ONCE = 500


class Keeper:
    """An agency of this migration's time, with the key its digests are made with."""

    def __init__(self, agency) -> None:
        self.row, self.slug, self.index_key_sealed = agency, agency.slug, agency.index_key_sealed

    def keep_index_key(self, sealed: bytes) -> bytes:
        self.row.index_key_sealed = self.index_key_sealed = sealed
        self.row.save(update_fields=["index_key_sealed"])
        return sealed


def seal(apps, schema_editor) -> None:
    citizens = apps.get_model("identity", "Citizen").objects.select_related("home").order_by("home", "pk")
    for home in {citizen.home.pk: citizen.home for citizen in citizens}.values():
        keeper, sealer = Keeper(home), keys.sealer(key_names.uri(home.slug, "seal"))
        rows = list(citizens.filter(home=home))
        for first in range(0, len(rows), AT_ONCE):
            part = rows[first : first + AT_ONCE]
            opened = sealer.open_many(
                [(bytes(row.data_key_sealed), b"govchain/citizen-data-key/v1\n" + row.pk.bytes) for row in part]
            )
            contexts = [b"govchain/citizen/v1\n" + row.pk.bytes for row in part]
            wrapped = sealer.seal_many(list(zip(opened, [b"key\n" + each for each in contexts], strict=True)))
            for row, key, context, data_key_sealed in zip(part, opened, contexts, wrapped, strict=True):
                row.personal = personal.seal(key, {"name": row.name, "id_number": row.id_number}, context)
                row.id_index = personal.index(keeper, "citizen/id-number", row.id_number)
                row.data_key_sealed = data_key_sealed
                row.save(update_fields=["personal", "id_index", "data_key_sealed"])


class Migration(migrations.Migration):
    dependencies = [("identity", "0004_officers_log")]

    operations = [
        migrations.AddField(
            "agency",
            "index_key_sealed",
            models.BinaryField(max_length=200, null=True, help_text="Of the digests rows are found by."),
        ),
        migrations.AddField(
            "citizen",
            "id_index",
            models.BinaryField(
                max_length=32, default=b"", help_text="Digest the home agency finds the number by."
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "citizen",
            "personal",
            models.BinaryField(max_length=1024, default=b"", help_text="Name and number, under the data key."),
            preserve_default=False,
        ),
        migrations.AlterField("citizen", "data_key_sealed", models.BinaryField(max_length=200)),
        migrations.AddField(
            "erasureproof",
            "receipt",
            models.TextField(blank=True, default="", help_text="That its digest is on the ledger; empty until it is."),
            preserve_default=False,
        ),
        migrations.RunPython(seal),
        migrations.RemoveConstraint("citizen", "citizen_once_per_home"),
        migrations.RemoveField("citizen", "name"),
        migrations.RemoveField("citizen", "id_number"),
        migrations.AddConstraint(
            "citizen", models.UniqueConstraint(fields=["home", "id_index"], name="citizen_once_per_home")
        ),
    ]
