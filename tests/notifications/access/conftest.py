from tests.notifications.api.conftest import _empty_cache, body, shop, shop_testing, stranger, typed  # noqa: F401
