"""Static files by names that say their content, for `collectstatic`."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it carries no types
    """A module names those it imports by their content too, or a browser would mix old ones with new ones."""

    support_js_module_import_aggregation = True
