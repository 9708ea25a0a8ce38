from django.contrib import admin

from preferences.admin.categories import CategoryAdmin
from preferences.admin.consent import ConsentAdmin
from preferences.admin.imports import ImportAdmin
from preferences.admin.suppressions import SuppressionAdmin
from preferences.admin.users import UserAdmin
from preferences.models import Category, ConsentRecord, Import, Suppression, User

admin.site.register(Category, CategoryAdmin)
admin.site.register(ConsentRecord, ConsentAdmin)
admin.site.register(Import, ImportAdmin)
admin.site.register(Suppression, SuppressionAdmin)
admin.site.register(User, UserAdmin)
