# One image for all three programs: the provider by default, Autopay and Lön by another command (docker-compose.yml).

FROM node:24-slim AS build
WORKDIR /app
# Dependencies first: their layer is made anew only when the lock file changes.
COPY package.json package-lock.json ./
# The development dependency `node` is for machines with an older Node; this image is on 24 already.
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY config ./config
COPY migrations ./migrations
COPY src ./src
COPY interactions ./interactions
COPY autopay ./autopay
COPY demo ./demo
RUN npm run build && npm prune --omit=dev

FROM node:24-slim
ENV NODE_ENV=production \
    HEMMA_HOST=0.0.0.0
WORKDIR /app
# Owned by root and only read by the program, which can change nothing but its data folder.
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
RUN mkdir data && chown node:node data
VOLUME /app/data
USER node
EXPOSE 3000
STOPSIGNAL SIGTERM
# Alive, not ready: an orchestrator that restarts it because the database is down makes things worse.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HEMMA_PORT || 3000}/health/live`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "dist/src/main.js"]
