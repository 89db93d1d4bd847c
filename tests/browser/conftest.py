"""What the tests in a browser share: Chromium, and the built site."""

import browsers
import building
import pytest

from inbol_lib.paths import ROOT

#: where pictures of what the tests saw are left, to be looked at
LOOK = ROOT / "build" / "screenshots"


@pytest.fixture(scope="session")
def chromium():
    """A browser."""
    with browsers.chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def site(chromium):
    """The address, on disk, of the site that `make test-browser` has built before."""
    if not (building.SITE / "index.html").exists():
        pytest.skip("the site is not built: make site, or make test-browser")
    return building.SITE.as_uri()


@pytest.fixture(scope="session")
def look():
    """A folder for screenshots."""
    LOOK.mkdir(parents=True, exist_ok=True)
    return LOOK


@pytest.fixture
def page(chromium):
    """An empty page of a wide window."""
    shown = browsers.opened(chromium)
    yield shown
    shown.context.close()
