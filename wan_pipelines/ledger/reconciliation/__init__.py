"""Reconciliation: what was charged, against what providers ask; every difference has a name.

For each GPU class: video costs + overheads + idle time + differences = what is asked, exactly.
"""
