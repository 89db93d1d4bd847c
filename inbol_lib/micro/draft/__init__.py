"""The third micro world while it is being calibrated: no study uses it yet.

It takes the place of `inbol_lib.micro.world` once its base models are like LLaVA-1.5 where the
paper says how LLaVA-1.5 is (figures/world_card.md).
"""

#: Version of the pictures and questions.
VERSION = 3
