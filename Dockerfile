# One image for every process; the command says which.
FROM python:3.11-slim AS build
WORKDIR /build
COPY pyproject.toml constraints.txt README.md ./
COPY services services
COPY shared shared
COPY migrations migrations
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --constraint constraints.txt '.[tracing]'

FROM python:3.11-slim
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin leadbaton
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /tmp
CMD ["leadbaton", "--help"]
