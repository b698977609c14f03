# One image for the API with the console, and for the worker. Compose or another runner selects the command. The image
# has no GraphiQL and no embedded servers, which are for developers' machines.
FROM node:24-trixie-slim AS console
WORKDIR /build
COPY schema.graphql schema.graphql
COPY console console
RUN cd console && npm ci --omit=dev --ignore-scripts --no-audit --no-fund && npm run build

FROM python:3.12-slim-trixie AS build
WORKDIR /build
RUN python -m venv /venv
COPY requirements/run.txt requirements/run.txt
RUN /venv/bin/pip install --no-cache-dir --require-hashes --requirement requirements/run.txt

FROM python:3.12-slim-trixie
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Renewals" \
    org.opencontainers.image.description="A GraphQL API for the renewal management of prepaid cloud instances." \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="0.1.0" \
    org.opencontainers.image.revision="$REVISION"
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1
RUN groupadd --system --gid 10001 renewals \
    && useradd --system --uid 10001 --gid renewals --no-create-home renewals
COPY --from=build /venv /venv
WORKDIR /app
COPY LICENSE LICENSE
COPY renewals renewals
COPY schema schema
COPY workers workers
COPY graphql_api graphql_api
COPY --from=console /build/graphql_api/static graphql_api/static
# Create the command that an installation of the project would create.
RUN printf '#!/venv/bin/python\nfrom graphql_api.__main__ import main\n\nmain()\n' > /venv/bin/renewals \
    && chmod 755 /venv/bin/renewals
# The id is a number, so that Kubernetes can verify that the user is not root.
USER 10001:10001
EXPOSE 8000
# This check is for the API. It checks liveness, not readiness, because some runners restart unhealthy containers.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=6 \
    CMD ["python", "-c", "import urllib.request as request; request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["renewals"]
CMD ["serve", "--host", "0.0.0.0"]
