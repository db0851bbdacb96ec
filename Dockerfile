# The server and the scheduler, from one image. Two ways to build it:
#   docker build -t approval-ops .                                  installs the packages in a stage that has compilers
#   npm ci --omit=dev && docker build --target prebuilt -t approval-ops .
#                                                                   takes node_modules of this folder: needs no registry,
#                                                                   only a BASE_IMAGE with the same Node and libc as here
ARG BASE_IMAGE=node:22-bookworm-slim
ARG BUILD_IMAGE=node:22-bookworm

FROM ${BASE_IMAGE} AS app
LABEL approval-ops.image=1
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json tsconfig.json policy.json mcp.json contacts.json calendar.json ./
COPY bin bin
COPY ops ops
COPY sql sql
COPY src src
# A new volume takes its owner from here. rollbacks/ receives the results of rollbacks that run on the host.
RUN install -d -o 1000 -g 1000 data data/rollbacks
USER 1000:1000
EXPOSE 8020
CMD ["node", "--import", "tsx/esm", "src/server.ts", "--no-scheduler"]

FROM app AS prebuilt
COPY node_modules node_modules

FROM ${BUILD_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev

FROM app
COPY --from=packages /app/node_modules node_modules
