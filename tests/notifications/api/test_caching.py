def test_no_answer_is_kept_by_a_cache(shop):
    for path in ("/api/v1/keys", "/api/v1/users", "/api/v1/notifications?status=odd"):
        assert "no-store" in shop.get(path).headers.get("Cache-Control", ""), path
