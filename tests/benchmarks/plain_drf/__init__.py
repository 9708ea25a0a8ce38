"""The usual way to build such an API, to measure ours against: REST framework, a serializer, the ORM."""
