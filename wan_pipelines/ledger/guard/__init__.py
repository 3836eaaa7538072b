"""Holds every statement of a transaction to the tenant that the transaction is about."""
