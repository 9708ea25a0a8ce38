"""The pages around signing in by an e-mailed link."""

from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from notifications.pages import sign_in
from project.foundation.client_ip import client_ip

# In the session: it was opened by a link. The admin refuses such sessions, whatever the account becomes later.
BY_LINK = "signed_in_by_link"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_page(request: HttpRequest) -> HttpResponse:
    """Ask who it is; answer everybody the same."""
    next_path = request.POST.get("next") or request.GET.get("next", "")
    if request.method != "POST":
        if request.user.is_authenticated:
            return redirect(sign_in.safe_next(next_path))
        return render(request, "notifications/sign_in.html", {"next": next_path})
    identifier = request.POST.get("identifier", "").replace("\0", "")[:255].strip()
    context = {"next": next_path, "identifier": identifier}
    if not identifier:
        return render(request, "notifications/sign_in.html", context | {"fault": "empty"}, status=422)
    try:
        sign_in.request_link(identifier, ip=client_ip(request), next_path=next_path)
    except sign_in.TooManyRequests:
        return render(request, "notifications/sign_in.html", context | {"fault": "too_many"}, status=429)
    return render(request, "notifications/sign_in_sent.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """Show a button; only pressing it signs in."""
    user = sign_in.use(token) if request.method == "POST" else sign_in.owner(token)
    if user is None:
        response = render(request, "notifications/sign_in_over.html", status=410)
    elif request.method == "POST":
        logout(request)  # whoever was signed in here before leaves nothing behind
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        request.session[BY_LINK] = True
        response = redirect(sign_in.safe_next(request.GET.get("next", "")))
    else:
        response = render(request, "notifications/sign_in_confirm.html", {"owner": user})
    # No page learns the token, and the form still says where it comes from: under "no-referrer" browsers send
    # `Origin: null`, which the CSRF check must refuse.
    response["Referrer-Policy"] = "strict-origin"
    return response


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("/")
