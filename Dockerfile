# Tocsin in a container: the locked dependencies, the code, one user without rights. docker-compose.yml runs its parts.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=2 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONPATH=/app \
    TOCSIN_DATA_DIR=/data

RUN groupadd --system --gid 10001 tocsin \
    && useradd --system --uid 10001 --gid tocsin --home-dir /data --no-create-home --shell /usr/sbin/nologin tocsin \
    && install --directory --owner=tocsin --group=tocsin --mode=0700 /data

WORKDIR /app
COPY requirements.lock ./
RUN python -m pip install --require-hashes --no-deps -r requirements.lock

COPY LICENSE NOTICE ./
COPY alerts ./alerts
COPY workers ./workers
COPY config ./config
# Byte code now: each process saves a second of start and the memory of compiling.
RUN python -m compileall -q alerts workers \
    && printf '#!/bin/sh\nexec python -m alerts.cli "$@"\n' > /usr/local/bin/tocsin \
    && chmod 0755 /usr/local/bin/tocsin

USER tocsin
VOLUME /data
EXPOSE 8765
ENTRYPOINT ["tocsin"]
CMD ["up"]
