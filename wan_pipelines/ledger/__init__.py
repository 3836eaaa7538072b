"""The ledger: who asked for which shots, what was rendered, what it cost.

One database (SQLite by default, PostgreSQL by URL) holds tenants, editions, shots, takes,
renditions, prices, charges and quota entries. Money is integers of micro-dollars, time integers
of microseconds. Every function is one transaction and one tenant's, unless it says otherwise.

Rows are locked in one order, so that PostgreSQL never finds a deadlock: the worker, the user, the
edition, the shot; takes and edition shots only by who holds one of these. On SQLite a transaction
that writes is alone anyway.
"""
