# One image for all roles: web, live, worker, beat (compose.yaml and deploy/kubernetes give each its command).
FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements.lock .
RUN python -m venv .venv && .venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home carillon
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=8000 \
    STATIC_ROOT=/app/staticfiles VAR_DIR=/tmp/carillon
COPY --from=build /app/.venv .venv
COPY . .
# Embedded settings serve to collect the files: no key of the build stays in the image.
RUN python manage.py collectstatic --noinput --verbosity 0 && rm -rf /tmp/carillon
USER carillon
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--no-ws", "--workers", "2", \
     "--blocking-threads", "4", "--respawn-failed-workers", "project.wsgi:application"]
