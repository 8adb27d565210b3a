"""What the workers run; rq imports it by name."""

import time


def double(n):
    return n * 2


def fail():
    raise ValueError("on purpose")


def late(n):
    time.sleep(n)
    return "late"
