"""Assay on Apache Spark: the same audit, with the records where they are."""

from .audit import Audit, AuditIncomplete, audit

__all__ = ["Audit", "AuditIncomplete", "audit"]
