"""Libraries that several rooms need, each behind one module that checks what it returns."""
