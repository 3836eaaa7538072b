"""A small invoice in the columns of FOCUS."""

import csv
from pathlib import Path

HOUR = {
    "BilledCost": "2.69",
    "EffectiveCost": "2.69",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-03-01T00:00:00Z",
    "ChargePeriodStart": "2026-03-02T12:00:00Z",
    "ChargePeriodEnd": "2026-03-02T13:00:00Z",
    "ChargeCategory": "Usage",
    "ChargeDescription": "H100, on demand",
    "ServiceName": "GPU nodes",
    "ResourceId": "node-1",
    "ResourceType": "gpu-node",
    "SkuId": "gpu-h100",
    "PricingQuantity": "1",
    "PricingUnit": "Hours",
    "CommitmentDiscountStatus": "",
    "Tags": '{"pool": "h100"}',
}


def write(file: Path, *changes: dict[str, str]) -> Path:
    """One line for each of the changes."""
    with file.open("w", newline="") as opened:
        writer = csv.DictWriter(opened, list(HOUR))
        writer.writeheader()
        writer.writerows({**HOUR, **change} for change in changes)
    return file
