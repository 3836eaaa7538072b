# syntax=docker/dockerfile:1.7
# Two images that share their first layers:
#   docker build --target control --tag registry.example.com/wan-pipelines:1.4.0 .
#   docker build --target gpu     --tag registry.example.com/wan-pipelines-gpu:1.4.0 .
# Weights are in neither, but for the tiny checkpoint that is part of the package. Name the base by
# digest where it has to be the same for ever: --build-arg PYTHON_IMAGE=python@sha256:...
ARG PYTHON_IMAGE=python:3.11.14-slim-trixie

FROM ${PYTHON_IMAGE} AS base
ENV PATH=/opt/wan/bin:${PATH} \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
# tini hands signals on and reaps what workers leave; pg_dump is for `wan ledger backup`.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini=0.19.* postgresql-client=17+* \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 wan \
    && useradd --uid 10001 --gid wan --no-create-home --home-dir /var/lib/wan wan \
    && install --directory --owner wan --group wan /var/lib/wan /var/cache/wan /opt/dagster \
    && install --directory --owner wan --group wan /opt/dagster/dagster_home

# The package as a wheel; what builds it is left behind.
FROM base AS wheel
WORKDIR /source
COPY requirements.lock ./
RUN python -m venv /opt/wan \
    && pip install --constraint requirements.lock hatchling
COPY pyproject.toml README.md ./
COPY wan_pipelines wan_pipelines
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels .

# What every process needs: code server, daemon, webserver, exporter, and those that render.
FROM base AS control-packages
COPY requirements-control.lock /opt/wan/locks/
RUN python -m venv /opt/wan \
    && pip install --requirement /opt/wan/locks/requirements-control.lock

# On top of that torch with the CUDA runtime of its wheels, diffusers, and a compiler, which triton
# and compiled blocks call. The driver comes from the node.
FROM control-packages AS gpu-packages
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++=4:14.2.* \
    && rm -rf /var/lib/apt/lists/*
COPY requirements.lock requirements-cuda.lock /opt/wan/locks/
RUN pip install \
    --requirement /opt/wan/locks/requirements.lock \
    --requirement /opt/wan/locks/requirements-cuda.lock

FROM gpu-packages AS gpu
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels pip install --no-deps /wheels/*.whl
WORKDIR /opt/wan/project
COPY workspace.yaml ./
COPY assets assets
COPY resources resources
ENV WAN_PIPELINES_ROOT=/opt/wan/project \
    WAN_PIPELINES_STATE=/var/lib/wan \
    DAGSTER_HOME=/opt/dagster/dagster_home \
    HOME=/var/lib/wan \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001:10001
ENTRYPOINT ["tini", "-g", "--"]
# Steps end by themselves and are watched by who began them. An engine server has /healthz.
HEALTHCHECK NONE
CMD ["wan", "doctor"]

FROM control-packages AS control
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels pip install --no-deps /wheels/*.whl
WORKDIR /opt/wan/project
COPY workspace.yaml ./
COPY assets assets
COPY resources resources
ENV WAN_PIPELINES_ROOT=/opt/wan/project \
    WAN_PIPELINES_STATE=/var/lib/wan \
    DAGSTER_HOME=/opt/dagster/dagster_home \
    HOME=/var/lib/wan
USER 10001:10001
EXPOSE 4000
ENTRYPOINT ["tini", "-g", "--"]
HEALTHCHECK --interval=60s --timeout=20s --start-period=120s --retries=3 \
    CMD ["dagster", "api", "grpc-health-check", "--port", "4000"]
CMD ["dagster", "code-server", "start", "--host", "0.0.0.0", "--port", "4000", \
     "--module-name", "wan_pipelines.definitions"]
