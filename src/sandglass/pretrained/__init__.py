"""Pretrained weights and fonts: one catalogue, where they come from, and how they are found, verified and bundled.

Nothing is ever fetched in the middle of a run: `locate` finds what `pull` brought, or says what to do.
"""

from sandglass.pretrained.catalogue import Entry, catalogue, entry
from sandglass.pretrained.folder import bundle, locate, pull, verify, weights_folder

__all__ = ["Entry", "bundle", "catalogue", "entry", "locate", "pull", "verify", "weights_folder"]
