from django.db import models


class Person(models.Model):
    number = models.IntegerField(unique=True)
    name = models.CharField(max_length=200)
    email = models.EmailField()
    wants_mail = models.BooleanField()

    def __str__(self) -> str:
        return self.name


class Sent(models.Model):
    """The history that a careful project would write itself."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    subject = models.CharField(max_length=200)
    status = models.CharField(max_length=12)
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.subject}: {self.status}"
