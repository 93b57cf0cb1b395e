"""Rows of the registers go under a data key each; what is there is sealed on the way, by the agency's key store."""

import django.db.models.deletion
from django.db import migrations, models

from identity import personal

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
    for mandate in apps.get_model("certificates", "Mandate").objects.select_related("row"):
        mandate.row.data["statement"] = mandate.statement
        mandate.row.save(update_fields=["data"])
    rows = apps.get_model("certificates", "RegisterRow").objects.select_related("agency").order_by("agency", "pk")
    names = apps.get_model("certificates", "RegisterName").objects
    for agency in {row.agency.pk: row.agency for row in rows}.values():
        keeper = Keeper(agency)
        mine = list(rows.filter(agency=agency))
        for first in range(0, len(mine), AT_ONCE):
            part = mine[first : first + AT_ONCE]
            contexts = []
            for row in part:
                row.subject_index = personal.index(keeper, "register/subject", row.subject)
                contexts.append(b"govchain/register-row/v1\n" + row.type_slug.encode() + b"\n" + row.subject_index)
            fresh = personal.new_keys(agency.slug, [b"key\n" + context for context in contexts])
            for row, context, (key, wrapped) in zip(part, contexts, fresh, strict=True):
                value = {"subject": row.subject, "name": row.name, "data": row.data, "note": row.note}
                row.personal, row.data_key_sealed = personal.seal(key, value, context), wrapped.sealed
                row.save(update_fields=["subject_index", "personal", "data_key_sealed"])
                beginnings = {row.name[:length] for length in range(2, min(len(row.name), 8) + 1)} | {row.name}
                names.bulk_create(
                    [
                        names.model(row=row, digest=personal.index(keeper, "register/name", each))
                        for each in sorted(beginnings)
                    ]
                )


class Migration(migrations.Migration):
    dependencies = [("certificates", "0003_mandates"), ("identity", "0005_personal_data_sealed")]

    operations = [
        migrations.CreateModel(
            "RegisterName",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.BinaryField(db_index=True, max_length=32)),
                (
                    "row",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="names",
                        to="certificates.registerrow",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            "registerrow",
            "subject_index",
            models.BinaryField(
                max_length=32, default=b"", help_text="Digest the agency finds the subject's number by."
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "registerrow",
            "personal",
            models.BinaryField(
                max_length=64 * 1024, default=b"", help_text="Number, name, fields and note, under the data key."
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "registerrow",
            "data_key_sealed",
            models.BinaryField(max_length=200, default=b""),
            preserve_default=False,
        ),
        migrations.RunPython(seal),
        migrations.RemoveField("mandate", "statement"),
        migrations.RemoveField("mandate", "agent_number"),
        migrations.AlterModelOptions("registerrow", {"ordering": ["pk"]}),
        migrations.RemoveConstraint("registerrow", "register_subject_once"),
        migrations.RemoveField("registerrow", "subject"),
        migrations.RemoveField("registerrow", "name"),
        migrations.RemoveField("registerrow", "data"),
        migrations.RemoveField("registerrow", "note"),
        migrations.AddConstraint(
            "registerrow",
            models.UniqueConstraint(fields=["type_slug", "agency", "subject_index"], name="register_subject_once"),
        ),
    ]
