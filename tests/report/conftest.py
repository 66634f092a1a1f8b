"""The browser that pages are looked at with."""

from .browser import chromium, visit

__all__ = ["chromium", "visit"]
