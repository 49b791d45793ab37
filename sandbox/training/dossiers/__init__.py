"""Invented French stroke documents with their marks, by construction."""
