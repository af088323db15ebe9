"""Chaos: the whole service is killed in every part while news comes in; nothing may be lost or told twice."""
