"""Invoices of providers: read from CSV, kept line by line, exactly as they were asked for."""
