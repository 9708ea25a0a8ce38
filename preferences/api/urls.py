from django.urls import path

from preferences.api.categories import Categories, OneCategory
from preferences.api.contact_points import ContactPoints, OneContactPoint, Rotation
from preferences.api.export import Export
from preferences.api.links import OnePreferenceLink, PreferenceLinks
from preferences.api.preferences import Preferences
from preferences.api.topics import OneTopic, Subscribers, Topics
from preferences.api.users import OneUser, Users, UsersInBulk

app_name = "preferences_api"
urlpatterns = [
    path("users", Users.as_view(), name="users"),
    path("users/bulk", UsersInBulk.as_view(), name="users_in_bulk"),
    path("users/<str:user_id>", OneUser.as_view(), name="user"),
    path("users/<str:user_id>/contact_points", ContactPoints.as_view(), name="contact_points"),
    path("users/<str:user_id>/contact_points/<uuid:id>", OneContactPoint.as_view(), name="contact_point"),
    path("users/<str:user_id>/contact_points/<uuid:id>/rotate", Rotation.as_view(), name="contact_point_rotation"),
    path("users/<str:user_id>/preferences", Preferences.as_view(), name="preferences"),
    path("users/<str:user_id>/export", Export.as_view(), name="export"),
    path("users/<str:user_id>/preference_links", PreferenceLinks.as_view(), name="preference_links"),
    path("users/<str:user_id>/preference_links/<uuid:id>", OnePreferenceLink.as_view(), name="preference_link"),
    path("categories", Categories.as_view(), name="categories"),
    path("categories/<str:key>", OneCategory.as_view(), name="category"),
    path("topics", Topics.as_view(), name="topics"),
    path("topics/<str:key>", OneTopic.as_view(), name="topic"),
    path("topics/<str:key>/subscribers", Subscribers.as_view(), name="subscribers"),
]
