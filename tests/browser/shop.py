"""The service that tells Ada things, as curl would."""

from typing import Any

import httpx


class Shop:
    def __init__(self, client: httpx.Client, key: str) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {key}"}

    def send(self, **payload: Any) -> None:
        """Tell Ada what the payload says, by a type of this shop's own, which has no template."""
        self._put("types/SHOP_NEWS", {"name": "News of the shop", "category": "social"})
        body = {"user_id": "ada", "type": "SHOP_NEWS", "channels_preferred": ["in_app"], "payload": payload}
        answer = self.client.post("/api/v1/notifications/send", json=body, headers=self.headers)
        assert answer.status_code == 202, answer.text

    def inbox(self, user_id: str, **query: str) -> list[dict[str, Any]]:
        answer = self.client.get(f"/api/v1/users/{user_id}/inbox", params=query, headers=self.headers)
        results: list[dict[str, Any]] = answer.json()["results"]
        return results

    def empty_inbox(self, user_id: str) -> None:
        token = self.client.post(f"/api/v1/users/{user_id}/tokens", headers=self.headers).json()["token"]
        as_user = {"Authorization": f"Bearer {token}"}
        assert self.client.post("/api/v1/inbox/archive-all", headers=as_user).status_code == 200

    def _put(self, path: str, body: Any) -> None:
        answer = self.client.put(f"/api/v1/{path}", json=body, headers=self.headers)
        assert answer.status_code in {200, 201}, answer.text
