"""The page at `/`: the demo shop while the demo is loaded, a plain start page otherwise."""

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from notifications.pages import demo
from notifications.pages.login import BY_LINK
from preferences.models import User
from preferences.pages import language


@never_cache
@require_GET
def start(request: HttpRequest) -> HttpResponse:
    shop = demo.loaded()
    if shop is None:
        return render(request, "notifications/start.html")
    language.speak("en")  # the shop speaks nothing else, and says so
    context = {
        "products": demo.PRODUCTS,
        "news": demo.NEWS,
        "is_ada": request.user.is_authenticated and request.user.get_username() == demo.ADA,
        "one_click": settings.EMBEDDED,
        "api_url": f"{shop.url}/api/v1/notifications/send",
        "key": demo.key_for(shop, request),
    }
    return render(request, "notifications/shop.html", context)


@require_POST
def sign_in_as_ada(request: HttpRequest) -> HttpResponse:
    """Open Ada's session without a link: embedded only, so never on an installation with real people."""
    if not settings.EMBEDDED:
        raise Http404
    user = _ada_or_404()
    logout(request)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    request.session[BY_LINK] = True
    return redirect("start")


@require_POST
def send(request: HttpRequest) -> HttpResponse:
    """Carry out one button of the shop, for Ada, by Ada."""
    user = _ada_or_404()
    if request.user != user:
        return redirect("start")
    product = next((product for product in demo.PRODUCTS if product.key == request.POST.get("order")), None)
    news = next((news for news in demo.NEWS if news.key == request.POST.get("news")), None)
    if product is not None:
        demo.order(user, product)
    elif news is not None:
        demo.tell(user, news)
    else:
        raise Http404
    return redirect("start") if request.accepts("text/html") else HttpResponse(status=204)


def _ada_or_404() -> User:
    user = demo.ada() if demo.loaded() is not None else None
    if user is None:
        raise Http404
    return user
