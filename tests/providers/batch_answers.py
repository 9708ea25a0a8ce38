"""What e-mail services answer to many mails in one call: the examples of their public documentation, ids shortened."""

# https://postmarkapp.com/developer/user-guide/send-email-with-api/batch-emails; the refusals from the list of
# https://postmarkapp.com/developer/api/overview#error-codes and https://postmarkapp.com/support/article/1180
POSTMARK = [
    {
        "ErrorCode": 0,
        "Message": "OK",
        "MessageID": "b7bc2f4a-e38e-4336-af7d-e6c392c2f817",
        "SubmittedAt": "2010-11-26T12:01:05.1794748-05:00",
        "To": "receiver1@example.com",
    },
    {
        "ErrorCode": 406,
        "Message": "You tried to send to a recipient that has been marked as inactive. Found inactive addresses:"
        " receiver2@example.com. Inactive recipients are ones that have generated a hard bounce, a spam complaint, or a"
        " manual suppression.",
    },
    {"ErrorCode": 300, "Message": "Invalid 'To' address: 'receiver3@example'."},
    {
        "ErrorCode": 0,
        "Message": "OK",
        "MessageID": "e2ecbbfc-fe12-463d-b933-9fe22915106d",
        "SubmittedAt": "2010-11-26T12:01:05.1794748-05:00",
        "To": "receiver4@example.com",
    },
]
# https://resend.com/changelog/batch-validation-modes
RESEND = {
    "data": [
        {"id": "ae2014de-c168-4c61-8267-70d2662a1ce1"},
        {"id": "faccb7a5-8a28-4e9a-ac64-8da1cc3bc1cb"},
    ],
    "errors": [{"index": 2, "message": "The `to` field is missing."}],
}
# https://dev.mailjet.com/email/guides/send-api-v31/, "Send in bulk" and "Errors"
MAILJET = {
    "Messages": [
        {
            "Status": "success",
            "CustomID": "",
            "To": [
                {
                    "Email": "receiver1@example.com",
                    "MessageUUID": "124",
                    "MessageID": 20547681647433000,
                    "MessageHref": "https://api.mailjet.com/v3/message/20547681647433000",
                }
            ],
            "Cc": [],
            "Bcc": [],
        },
        {
            "Status": "error",
            "Errors": [
                {
                    "ErrorIdentifier": "f987008f-251a-4dff-8ffc-40f1583ad7bc",
                    "ErrorCode": "mj-0013",
                    "StatusCode": 400,
                    "ErrorMessage": '"receiver2@example" is an invalid email address.',
                    "ErrorRelatedTo": ["To[0].Email"],
                }
            ],
        },
        {
            "Status": "error",
            "Errors": [
                {
                    "ErrorIdentifier": "88b5ca9f-5f1f-42e7-a45e-9ecbad0c285e",
                    "ErrorCode": "send-0008",
                    "StatusCode": 403,
                    "ErrorMessage": '"hello@example.com" is not an authorized sender email address for your account.',
                    "ErrorRelatedTo": ["From"],
                }
            ],
        },
    ]
}
# https://api-docs.mailtrap.io, "Batch send email (including templates)"
MAILTRAP = {
    "success": True,
    "responses": [
        {"success": True, "message_ids": ["53f764a0-4dca-11f0-0000-f185d7639148"]},
        {"success": False, "errors": ["'to' address is required"]},
    ],
}
