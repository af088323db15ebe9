"""Tocsin: a breaking-news alert service. The package the whole service lives in; `workers` only wakes it up."""

__version__ = "0.1.0"
