# The app (the default target), and the same with Alembic, for the job that migrates (--target migrate).
#
#   docker build -t sealy .
#   docker build -t sealy-migrate --target migrate .
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
WORKDIR /build
COPY requirements/app.txt ./
RUN python -m venv --without-pip /opt/app \
 && pip --python /opt/app/bin/python install --no-cache-dir --no-compile --only-binary=:all: --require-hashes -r app.txt
COPY src/ /opt/app/src/
# The bytecode is never compared with its source: layers may change a file's time.
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/app

FROM build AS build-migrate
COPY requirements/migrate.txt ./
RUN pip --python /opt/app/bin/python install --no-cache-dir --no-compile --only-binary=:all: --require-hashes -r migrate.txt \
 && python -m compileall -q --invalidation-mode unchecked-hash /opt/app

FROM ${BASE} AS runtime
# Python's image comes without bytecode of the standard library, and a read-only container could never write it.
RUN python -m compileall -q --invalidation-mode unchecked-hash -x 'site-packages|ensurepip' "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
 && useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin app
# psycopg carries an OpenSSL of its own, which finds the system's authorities only by this name (sslrootcert=system).
ENV PATH=/opt/app/bin:$PATH \
    PYTHONPATH=/opt/app/src \
    PYTHONDONTWRITEBYTECODE=1 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
WORKDIR /opt/app

FROM runtime AS migrate
COPY --from=build-migrate /opt/app /opt/app
COPY pyproject.toml ./
COPY migrations/ migrations/
USER 10001:10001
CMD ["alembic", "upgrade", "head"]

FROM runtime AS app
COPY --from=build /opt/app /opt/app
USER 10001:10001
EXPOSE 8080
# A request that is running at SIGTERM has four seconds, then the statement that it is in has its own five
# (deploy/db/roles.sql): together less than the ten after which hosts kill. Idle connections outlive the proxy's.
CMD ["sh", "-c", "exec uvicorn --factory sealy.main:create_app --host 0.0.0.0 --port ${PORT:-8080} --timeout-graceful-shutdown 4 --timeout-keep-alive 75 --no-access-log --no-server-header"]
