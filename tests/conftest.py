"""Property tests run the same examples every time, and are never hurried."""

import signal

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None, max_examples=25)
settings.load_profile("same")

# A shell that runs the tests in the background has interrupts ignored, by their children too.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
