"""Invoices of this environment: read in its layouts, compared by its GPU classes."""

from pathlib import Path

from wan_pipelines.errors import InputError
from wan_pipelines.hints import did_you_mean
from wan_pipelines.ledger.invoices.lines import Basis, Invoice
from wan_pipelines.ledger.invoices.reading import FOCUS, Layout, read_invoice
from wan_pipelines.ledger.reconciliation.periods import Period
from wan_pipelines.ledger.reconciliation.reconciling import Reconciliation, reconcile
from wan_pipelines.studio.studio import Studio


def invoice_of(studio: Studio, file: Path, layout: str = FOCUS.name) -> Invoice:
    """A file read in one of the environment's layouts."""
    return read_invoice(file, _layout(studio, layout))


def reconciliation(studio: Studio, period: Period, basis: Basis) -> Reconciliation:
    """What was asked for a period, and what was charged for it."""
    classes = studio.settings.gpu_classes.items()
    rules = [gpu_class.invoiced.rule(name) for name, gpu_class in classes]
    return reconcile(studio.ledger, rules, period, basis)


def _layout(studio: Studio, name: str) -> Layout:
    declared = studio.settings.invoices
    if name in declared:
        return declared[name].layout(name)
    if name != FOCUS.name:
        raise InputError(
            f"there is no layout {name!r}.",
            where=f"resources/{studio.settings.name}/defs.yaml, invoices",
            remedy=did_you_mean(name, (FOCUS.name, *declared)),
        )
    return FOCUS
