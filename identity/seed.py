"""The demonstration world's people and agencies. Run again, it changes nothing that is there.

A node seeds what belongs to the agencies it hosts (`GOVCHAIN_HOSTED`, by default all) and notes where the
others are (`GOVCHAIN_PEERS`).

The city, its agencies and everybody in it are invented. Refused in production: the passwords
are printed, and the keys are files.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from gov_chain import keys
from gov_chain.environment import UnsafeSettings
from gov_chain.ledger import documents, node
from gov_chain.ledger.core.genesis import FoundingAgency
from identity import agencies, assurance, certificates_x509, citizens
from identity.actions.issue_activation import issue_activation
from identity.core.demo_agencies import ACCREDITATIONS, AGENCIES, MORE_AGENCIES
from identity.models import Agency, Citizen, Officer, OfficerRole, Wallet

PASSWORD = "yunzhou-demo"
ACTIVATED = 3
"""How many of the demo citizens get an activation code."""

ROLE = OfficerRole.Role
OFFICERS = (
    ("issuer", "psb", "陈立（发证）", (ROLE.ISSUER, ROLE.APPROVER)),
    ("clerk", "street", "周晴（窗口）", (ROLE.COUNTER,)),
    ("home", "data", "吴敏（钱包管理）", (ROLE.AGENCY_ADMIN,)),
    ("auditor", "audit", "郑直（审计）", (ROLE.AUDITOR,)),
    ("registrar", "data", "何谨（登记）", (ROLE.ISSUER,)),
    # The second persons, and those who look after the staff.
    ("chief", "psb", "沈毅（审批、机构管理、内审）", (ROLE.APPROVER, ROLE.AGENCY_ADMIN, ROLE.AUDITOR)),
    ("reviewer", "data", "何静（审批、内审）", (ROLE.APPROVER, ROLE.AUDITOR)),
    ("operator", "data", "罗远（联盟运维）", (ROLE.OPERATOR,)),
    ("head", "street", "秦安（审批、机构管理、内审）", (ROLE.APPROVER, ROLE.AGENCY_ADMIN, ROLE.AUDITOR)),
    ("inspector", "audit", "唐文（审批、机构管理）", (ROLE.APPROVER, ROLE.AGENCY_ADMIN)),
)


@dataclass(frozen=True, slots=True)
class DemoCitizen:
    citizen: Citizen
    code: str
    """The activation code, which is not kept anywhere else."""


@dataclass(frozen=True, slots=True)
class SeededIdentity:
    agencies: tuple[Agency, ...]
    officers: tuple[Officer, ...]
    citizens: tuple[DemoCitizen, ...]
    """Those who can activate a wallet now."""


def seed(*, base_url: str, people: Iterable[tuple[str, str]] = (), activated: int = ACTIVATED) -> SeededIdentity:
    """Agencies with keys and the ledger's genesis, officers, and `people` (name, identity number) as citizens.

    The first `activated` people without a wallet get a fresh activation code each. Raises `UnsafeSettings`
    in production.
    """
    if settings.GOVCHAIN.production:
        raise UnsafeSettings("GOVCHAIN_ENV=production refuses demonstration data; enrol real agencies instead")
    seeded = _agencies(base_url)
    hosted = tuple(agency for agency in seeded if agency.hosted)
    for agency in hosted:
        create_keys(agency.slug)
    if certificates_x509.holds_ca():
        keys.create(certificates_x509.ca_uri(), "ES256")
    _ledger(seeded, hosted)
    slugs = {agency.slug for agency in hosted}
    officers = tuple(_officer(*row) for row in OFFICERS if row[1] in slugs)
    home = next((agency for agency in hosted if agency.home), None)
    return SeededIdentity(
        agencies=seeded,
        officers=officers,
        citizens=tuple(_activations(_citizens(home, people), activated)) if home else (),
    )


def _agencies(base_url: str) -> tuple[Agency, ...]:
    """All of them, wherever they are; raises `UnsafeSettings` when one is neither here nor known to be elsewhere."""
    env = settings.GOVCHAIN
    elsewhere = dict(env.peers)
    named = {*env.hosted, *elsewhere}
    known = {slug for _, slug, *_ in (*AGENCIES, *MORE_AGENCIES)}
    for slug in sorted(named):
        if slug not in known:
            raise UnsafeSettings(f"GOVCHAIN_HOSTED and GOVCHAIN_PEERS: the demonstration has no agency called {slug}")
    rows = []
    for number, slug, name_zh, name_en, home in (*AGENCIES, *(row for row in MORE_AGENCIES if row[1] in named)):
        hosted = env.hosts(slug)
        if not hosted and slug not in elsewhere:
            raise UnsafeSettings(f"GOVCHAIN_PEERS must say where {slug} is, which is not on this node")
        row, _ = Agency.objects.update_or_create(
            number=number,
            defaults={
                "slug": slug,
                "name_zh": name_zh,
                "name_en": name_en,
                "base_url": base_url if hosted else elsewhere[slug],
                "hosted": hosted,
                "home": home,
            },
        )
        rows.append(row)
    return tuple(rows)


def create_keys(slug: str) -> None:
    """An agency's keys, those that are not there yet."""
    for purpose, algorithm in agencies.ALGORITHMS.items():
        keys.create(agencies.key_uri(slug, purpose), algorithm)


def _ledger(seeded: tuple[Agency, ...], hosted: tuple[Agency, ...]) -> None:
    """Genesis naming the agencies, unless there is a ledger already; then the keys must be the ones it names."""
    for agency in seeded:
        documents.publish(agency.profile)
    if not node.founded():
        if hosted != seeded:
            raise UnsafeSettings(
                "GOVCHAIN_HOSTED: several nodes share a ledger; found it with `govchain consortium up`"
            )
        node.found(agencies=[_founding(agency) for agency in seeded], accreditations=ACCREDITATIONS)
    for agency in hosted:
        if node.ledger().agency(agency.number).ledger_key != agencies.signer(agency, "ledger").public_key:
            raise UnsafeSettings(
                f"GOVCHAIN_DATA: its ledger knows {agency.slug} by another key; restore keys/, or use a new directory"
            )
        node.host(agency.number, signer=agencies.key_uri(agency.slug, "ledger"))


def _founding(agency: Agency) -> FoundingAgency:
    return FoundingAgency(
        number=agency.number,
        ledger_key=agencies.signer(agency, "ledger").public_key,
        issue_key=agencies.signer(agency, "issue").public_key,
        request_key=agencies.signer(agency, "request").public_key,
        profile_digest=agency.profile_digest,
    )


def _officer(username: str, slug: str, display_name: str, roles: tuple[OfficerRole.Role, ...]) -> Officer:
    officer = Officer.objects.filter(username=username).first()
    if officer is None:
        officer = Officer.objects.create_user(
            username, password=PASSWORD, agency=agencies.by_slug(slug), display_name=display_name
        )
    for role in roles:
        OfficerRole.objects.get_or_create(officer=officer, role=role)
    return officer


def _citizens(home: Agency, people: Iterable[tuple[str, str]]) -> list[Citizen]:
    """All of `people` as citizens of the home agency, in their order."""
    listed = list(people)
    known = {bytes(index) for index in Citizen.objects.filter(home=home).values_list("id_index", flat=True)}
    new = [(name, number) for name, number in listed if citizens.id_index(home, number) not in known]
    Citizen.objects.bulk_create(citizens.enrol_many(home=home, people=new), batch_size=500)
    return [citizens.by_id_number(home, number) for _, number in listed[: 10 * ACTIVATED]]


def _activations(people: list[Citizen], wanted: int) -> Iterable[DemoCitizen]:
    with_wallet = set(Wallet.objects.filter(revoked_at__isnull=True).values_list("citizen_id", flat=True))
    for citizen in [one for one in people if one.id not in with_wallet][:wanted]:
        verified = assurance.verify(check=assurance.DemoFace.id, citizen=citizen, evidence={})
        issued = issue_activation(citizen=citizen, verified=verified, officer=None)
        yield DemoCitizen(citizen=citizen, code=issued.code)
