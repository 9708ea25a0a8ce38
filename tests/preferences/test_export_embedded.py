"""The export as `make run` serves it: by ASGI, in parts, while other requests go on."""

import json

import httpx

from tests.server import Server


def test_a_link_of_the_running_installation_gives_the_whole_file(carillon_server: Server) -> None:
    key = carillon_server.demo["live_key"]
    with httpx.Client(base_url=carillon_server.url, timeout=30) as client:
        answer = client.get("/api/v1/users/ada/export", headers={"Authorization": f"Bearer {key}"})
        link = answer.raise_for_status().json()["url"]

        file = client.get(link)

        assert file.headers["Transfer-Encoding"] == "chunked"
        document = json.loads(file.text)
        assert document["complete"] is True
        assert {point["channel"] for point in document["contact_points"]} >= {"email", "sms"}
        assert client.head(link).status_code == 200


def test_who_goes_away_in_the_middle_keeps_nobody_from_writing(carillon_server: Server) -> None:
    key = carillon_server.demo["live_key"]
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=carillon_server.url, timeout=30) as client:
        link = client.get("/api/v1/users/ada/export", headers=headers).raise_for_status().json()["url"]

        for _ in range(5):
            with client.stream("GET", link) as file:
                next(file.iter_bytes(1))
        stored = client.put("/api/v1/users/ada", headers=headers, json={"locale": "en"})

        assert stored.status_code == 200
        assert client.get(link).json()["complete"] is True
