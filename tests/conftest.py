from __future__ import annotations

from hypothesis import settings

# A machine under load is slow, which says nothing about what is tested.
settings.register_profile("urumi", deadline=None)
settings.load_profile("urumi")
