"""The node as one ASGI application: pages and protocols, live feeds, and what lives with the process."""

from __future__ import annotations

import os
import warnings

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gov_chain.settings")

# Django must be set up before any module that has models is imported.
pages = get_asgi_application()

from django.urls import re_path  # noqa: E402

from gov_chain.ledger import following, relay  # noqa: E402
from gov_chain.ledger.witness import service as witnesses  # noqa: E402
from gov_chain.web import lifespan  # noqa: E402
from gov_chain.web.door import App, Door  # noqa: E402
from gov_chain.web.live import KEY, TOPIC, LiveConsumer  # noqa: E402

# WhiteNoise hands Django open files; reading small ones in the request's own thread is what we want.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

lifespan.register("ledger relay", relay.start, relay.stop)
follower = following.Follower()
lifespan.register("ledger follower", follower.start, follower.stop)
lifespan.register("ledger witnesses", witnesses.start, witnesses.stop)

feeds = URLRouter(
    [
        re_path(rf"^live/(?P<topic>{TOPIC})/(?P<key>{KEY})$", LiveConsumer.as_asgi()),
        # Any other address is a topic nobody registered: refused like one, instead of an exception.
        re_path(r"", LiveConsumer.as_asgi()),
    ]
)

application: App = ProtocolTypeRouter(
    {
        "http": Door(pages),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(feeds)),
        "lifespan": lifespan.run,
    }
)
