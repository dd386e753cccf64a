"""The programs that are compared; each runs in a process of its own, some in another venv."""
