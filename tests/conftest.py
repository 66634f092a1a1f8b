"""Property tests run the same examples every time, and are never hurried."""

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None, max_examples=25)
settings.load_profile("same")
