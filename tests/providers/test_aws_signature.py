"""AWS's own published examples: the Signature Version 4 test suite and "Examples of the complete signing process"."""

from datetime import UTC, datetime

import pytest

from notifications.providers.aws_signature import Credentials, headers

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
AT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
FORM_UTF8 = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
HOST = "https://example.amazonaws.com"
IAM = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08"


@pytest.mark.parametrize(
    ("service", "method", "url", "body", "more", "signature"),
    [
        ("service", "GET", f"{HOST}/", b"", {}, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("service", "POST", f"{HOST}/", b"", {}, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "service",
            "GET",
            f"{HOST}/?Param2=value2&Param1=value1",
            b"",
            {},
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "service",
            "POST",
            f"{HOST}/",
            b"Param1=value1",
            FORM,
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
        ("iam", "GET", IAM, b"", FORM_UTF8, "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"),
    ],
)
def test_it_signs_as_aws_does(service, method, url, body, more, signature):
    credentials = Credentials("AKIDEXAMPLE", SECRET, "us-east-1", service)

    sent = headers(method, url, body, credentials, at=AT, more=more)

    scope = f"AKIDEXAMPLE/20150830/us-east-1/{service}/aws4_request"
    names = "content-type;host;x-amz-date" if more else "host;x-amz-date"
    assert sent["X-Amz-Date"] == "20150830T123600Z"
    assert sent["Authorization"] == (
        f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signature}"
    )
    assert sent.items() >= more.items()


def test_the_secret_is_not_shown():
    assert SECRET not in repr(Credentials("AKIDEXAMPLE", SECRET, "us-east-1", "sns"))
