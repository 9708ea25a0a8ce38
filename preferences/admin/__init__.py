from django.contrib import admin

from preferences.admin.categories import CategoryAdmin
from preferences.admin.consent import ConsentAdmin
from preferences.admin.suppressions import SuppressionAdmin
from preferences.admin.users import UserAdmin
from preferences.models import Category, ConsentRecord, Suppression, User

admin.site.register(Category, CategoryAdmin)
admin.site.register(ConsentRecord, ConsentAdmin)
admin.site.register(Suppression, SuppressionAdmin)
admin.site.register(User, UserAdmin)
