"""Three views: one that does nothing, one that validates and saves, and the same with a key looked up by the ORM."""

import hashlib
import hmac
from typing import Any

from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.benchmarks.plain_drf.models import Client, Key, Message


class PayloadSerializer(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=500, required=False, default="")
    body = serializers.CharField(required=False, default="")
    link = serializers.CharField(max_length=2048, required=False, default="")
    template_variables = serializers.DictField(required=False, default=dict)


class MessageSerializer(serializers.Serializer[Message]):
    user_id = serializers.CharField(max_length=255)
    type = serializers.CharField(max_length=100)
    priority = serializers.ChoiceField(["LOW", "MEDIUM", "HIGH"], default="MEDIUM")
    channels_preferred = serializers.ListField(child=serializers.CharField(max_length=20), required=False)
    timestamp = serializers.DateTimeField(required=False)
    payload = PayloadSerializer()

    def create(self, validated_data: dict[str, Any]) -> Message:
        return Message.objects.create(
            user_id=validated_data["user_id"],
            type=validated_data["type"],
            priority=validated_data["priority"],
            channels=validated_data.get("channels_preferred"),
            client=validated_data.get("client"),
            **validated_data["payload"],
        )


class KeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Client, Key] | None:
        _, _, prefix, secret = request.META.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ").split("_", 3)
        key = Key.objects.select_related("client").filter(prefix=prefix, revoked_at=None).first()
        if key is None or not hmac.compare_digest(key.secret_hash, hashlib.sha256(secret.encode()).hexdigest()):
            raise AuthenticationFailed
        return key.client, key


class Empty(APIView):
    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes: list[Any] = []

    def post(self, request: Request) -> Response:
        return Response({}, status=202)


class Plain(Empty):
    def post(self, request: Request) -> Response:
        serializer = MessageSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        message = serializer.save()
        return Response({"id": message.pk, "status": message.status, "created_at": message.created_at}, status=202)


class Keyed(Empty):
    authentication_classes = [KeyAuthentication]

    def post(self, request: Request) -> Response:
        serializer = MessageSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        message = serializer.save(client=request.user)
        return Response({"id": message.pk, "status": message.status, "created_at": message.created_at}, status=202)
