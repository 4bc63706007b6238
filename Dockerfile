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
# Python must not compare the bytecode with its source: layers may change a file's time.
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/app

FROM build AS build-migrate
COPY requirements/migrate.txt ./
RUN pip --python /opt/app/bin/python install --no-cache-dir --no-compile --only-binary=:all: --require-hashes -r migrate.txt \
 && python -m compileall -q --invalidation-mode unchecked-hash /opt/app

FROM ${BASE} AS runtime
# Python's image has no bytecode of the standard library, and a read-only container cannot write it.
RUN python -m compileall -q --invalidation-mode unchecked-hash -x 'site-packages|ensurepip' "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
 && useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin app
# psycopg brings its own OpenSSL, which finds the system's certificates only by this variable (sslrootcert=system).
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
# Cloud Run sets PORT itself.
ENV APP_HOST=0.0.0.0 PORT=8080
EXPOSE 8080
CMD ["python", "-m", "sealy"]
