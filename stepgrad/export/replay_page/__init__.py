"""A replay as one page for a browser: no server, no network, and nothing to install.

Data flows one way: `views` and their `parts` say what changes at which position, `events` what
happens there, `drawing` and `tape` draw each training step once, and `assembled` writes all of it
into `page.html`. The script of the page (`page.js`) only shows it; every text is the debugger's.
"""

from stepgrad.export.replay_page.assembled import About, replay_page
from stepgrad.export.replay_page.chosen import MOST, chosen
from stepgrad.export.replay_page.embedded import Page, frame, show

__all__ = ["MOST", "About", "Page", "chosen", "frame", "replay_page", "show"]
