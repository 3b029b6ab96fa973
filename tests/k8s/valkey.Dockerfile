# Stands in for valkey/valkey where there is no registry: Debian's Redis under Valkey's name.
ARG BASE=debian:stable-slim
FROM ${BASE}
RUN apt-get update && apt-get install --yes --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/* \
    && ln -s /usr/bin/redis-server /usr/bin/valkey-server
USER 10001:10001
CMD ["valkey-server"]
