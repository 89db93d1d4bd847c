"""nbval compares what cells print, not what libraries say on standard error; its kernels talk over
files, and are forked where a server of kernels is at work.
"""

import tempfile

import nbval.kernel

from inbol_lib.study.kernels import ForkingManager


class FileSockets(ForkingManager):
    """A kernel without TCP ports.

    Two kernels that start together can take the same one, and one of them is never heard.
    """

    def __init__(self, **kwargs):
        self.folder = tempfile.TemporaryDirectory()
        super().__init__(transport="ipc", ip=f"{self.folder.name}/kernel", **kwargs)

    def format_kernel_cmd(self, extra_arguments=None):
        """Nor do they wait for each other's lock on IPython's history."""
        return super().format_kernel_cmd(
            [*(extra_arguments or ()), "--HistoryManager.hist_file=:memory:"]
        )


nbval.kernel.KernelManager = FileSockets


def pytest_collectstart(collector):
    if collector.fspath and collector.fspath.ext == ".ipynb":
        collector.skip_compare += ("stderr", "image/png", "text/html")
