from django.contrib import admin

from templates_app.admin.templates import TemplateAdmin
from templates_app.admin.types import TypeAdmin
from templates_app.models import Template, Type

admin.site.register(Template, TemplateAdmin)
admin.site.register(Type, TypeAdmin)
