"""The agencies of the demonstration world: invented, like its city."""

from __future__ import annotations

from gov_chain.ledger.core.proposals import HOME

AGENCIES = (
    # number, slug, names, whether it looks after citizens
    (1, "psb", "云州市公安局", "Yunzhou Public Security Bureau", False),
    (2, "data", "云州市政务服务和数据管理局", "Yunzhou Government Services and Data Administration", True),
    (3, "street", "云州市青石街道政务服务中心", "Qingshi Subdistrict Government Service Centre", False),
    (4, "audit", "云州市审计局", "Yunzhou Audit Bureau", False),
)
MORE_AGENCIES = (
    (5, "hrss", "云州市人力资源和社会保障局", "Yunzhou Human Resources and Social Security Bureau", False),
    (6, "market", "云州市市场监督管理局", "Yunzhou Market Regulation Bureau", False),
    (7, "land", "云州市不动产登记中心", "Yunzhou Real Estate Registration Centre", False),
)
"""Members of a larger consortium: `govchain consortium up --agencies`."""
ACCREDITATIONS = ((1, 1), (1, 92), (2, HOME), (2, 91), (2, 93))
"""(agency, certificate type): the Public Security Bureau issues resident identity cards and guardianships, the home
agency mandates and, standing in for a registrar of enterprises, legal representatives."""
