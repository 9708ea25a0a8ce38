from preferences.models.address_confirmation import AddressConfirmation
from preferences.models.category import Category
from preferences.models.consent import ConsentRecord
from preferences.models.contact_point import ContactPoint
from preferences.models.erasure import Erasure
from preferences.models.frequency_count import FrequencyCount
from preferences.models.imports import Import, ImportChunk, ImportFault
from preferences.models.link import PreferenceLink
from preferences.models.preference import Mute, Preference
from preferences.models.suppression import Suppression
from preferences.models.topic import Topic, TopicSubscription
from preferences.models.user import User

__all__ = [
    "AddressConfirmation",
    "Category",
    "ConsentRecord",
    "ContactPoint",
    "Erasure",
    "FrequencyCount",
    "Import",
    "ImportChunk",
    "ImportFault",
    "Mute",
    "Preference",
    "PreferenceLink",
    "Suppression",
    "Topic",
    "TopicSubscription",
    "User",
]
