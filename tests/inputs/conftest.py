"""How many cases hypothesis tries.

`--hypothesis-profile nightly` tries ten times as many, and others each time.
"""

from hypothesis import HealthCheck, settings

FEW, MANY = 250, 2500
COMMON = {"database": None, "deadline": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("few", max_examples=FEW, derandomize=True, **COMMON)
settings.register_profile("nightly", max_examples=MANY, **COMMON)
settings.load_profile("few")
