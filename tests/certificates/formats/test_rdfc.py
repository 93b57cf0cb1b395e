"""RDFC-1.0: the working group's own cases, and what a library that shares no code with ours says."""

import pyoxigraph
import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates.formats import jsonld, rdfc
from tests.certificates.formats.vectors import published

CASES = published("rdfc-1.0")["cases"]
GOOD = [case for case in CASES if case["canonical"] is not None]
POISON = [case for case in CASES if case["canonical"] is None and "map" not in case]


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case["name"])
def test_a_published_dataset_has_its_published_form(case) -> None:
    algorithm = "sha384" if case.get("hash") == "SHA384" else "sha256"
    assert rdfc.canonicalize(jsonld.parse_nquads(case["input"]), algorithm=algorithm).text == case["canonical"]


@pytest.mark.parametrize("case", POISON, ids=lambda case: case["name"])
def test_a_poisoned_dataset_is_refused(case) -> None:
    with pytest.raises(rdfc.RdfcWorkError):
        rdfc.canonicalize(jsonld.parse_nquads(case["input"]))


# No blank graph names: RDFC-1.0 hashes each blank node of a quad apart, and with three of them datasets exist that
# differ in nothing it looks at (hypothesis finds them in seconds): every answer then hangs on the order of the input.
LABELS = st.sampled_from([f"_:n{number}" for number in range(6)])
QUADS = st.lists(
    st.tuples(
        LABELS, st.sampled_from(["<urn:p>", "<urn:q>"]), LABELS | st.just('"x"'), st.sampled_from(["", "<urn:g>"])
    ),
    min_size=1,
    max_size=8,
)


@given(QUADS, st.permutations(range(6)))
def test_other_labels_and_another_order_change_nothing(quads, order) -> None:
    renamed = [
        tuple(f"_:m{order[int(term[3:])]}" if term.startswith("_:") else term for term in quad)
        for quad in reversed(quads)
    ]
    assert rdfc.canonicalize(quads).text == rdfc.canonicalize(renamed).text


@given(QUADS)
def test_another_implementation_finds_the_same(quads) -> None:
    dataset = pyoxigraph.Dataset(
        pyoxigraph.parse("".join(map(rdfc.nquad, quads)).encode(), format=pyoxigraph.RdfFormat.N_QUADS)
    )
    dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0)
    assert rdfc.canonicalize(quads).nquads == sorted(f"{quad} .\n" for quad in dataset)


@given(QUADS)
def test_the_labels_given_back_make_the_form(quads) -> None:
    found = rdfc.canonicalize(quads)
    assert sorted({rdfc.nquad([found.labels.get(term, term) for term in quad]) for quad in quads}) == found.nquads
