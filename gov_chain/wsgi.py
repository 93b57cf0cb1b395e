"""The HTTP application without sockets: what in-process peers call instead of the network."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gov_chain.settings")

application = get_wsgi_application()
