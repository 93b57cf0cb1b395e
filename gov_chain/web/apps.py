from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "gov_chain.web"
    label = "web"
