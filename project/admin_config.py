from django.contrib.admin import apps


class CarillonAdminConfig(apps.AdminConfig):
    default_site = "project.admin_site.CarillonAdminSite"
