"""Kernels that start in half a second: forked from a process that has loaded the libraries.

Starting a kernel takes some five seconds, nearly all of them spent on importing PyTorch and its
kin, and a study starts dozens. `serving` loads them once, in a process that then forks itself for
each kernel. Linux alone; elsewhere, and wherever the forked copy would not be the kernel that was
asked for, kernels start as Jupyter starts them.
"""

from inbol_lib.study.kernels.messages import SERVER
from inbol_lib.study.kernels.provisioner import AsyncForkingManager, ForkingManager
from inbol_lib.study.kernels.starting import serving

__all__ = ["SERVER", "AsyncForkingManager", "ForkingManager", "serving"]
