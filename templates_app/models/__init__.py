from templates_app.models.template import Template
from templates_app.models.type import Type
from templates_app.models.version import Content, TemplateVersion

__all__ = ["Content", "Template", "TemplateVersion", "Type"]
