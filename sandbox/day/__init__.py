"""A support day: tickets, replies, agents at work, foreign tags, and money matters in between."""

from sandbox.day.run import Day, Progress, burst, run_day

__all__ = ["Day", "Progress", "burst", "run_day"]
