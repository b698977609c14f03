# The API and the worker in one image; compose and other runners choose the command. No GraphiQL and no embedded
# servers: those are for a developer's machine.
FROM python:3.12-slim AS build
WORKDIR /build
RUN python -m venv /venv
COPY requirements/run.txt requirements/run.txt
RUN /venv/bin/pip install --no-cache-dir --require-hashes --requirement requirements/run.txt

FROM python:3.12-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1
RUN useradd --system --uid 10001 --no-create-home renewals
COPY --from=build /venv /venv
WORKDIR /app
COPY renewals renewals
COPY schema schema
COPY workers workers
COPY graphql_api graphql_api
# What installing the project would write: its one command.
RUN printf '#!/venv/bin/python\nfrom graphql_api.cli import app\n\napp()\n' > /venv/bin/renewals \
    && chmod 755 /venv/bin/renewals
USER renewals
EXPOSE 8000
ENTRYPOINT ["renewals"]
CMD ["serve", "--host", "0.0.0.0"]
