package paperboy.connector;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import redis.clients.jedis.UnifiedJedis;

/**
 * The application's side of the classic protocol: tokens, authorisation,
 * messages. For any thread; it has threads of its own, and ends with
 * {@link #close}.
 */
public final class PaperboyConnector implements AutoCloseable {
    private static final long CLOSE_WITHIN = 2000; // ms for callbacks that run

    private final TokenService tokens;
    private final PaperboyCallbackHandler handler;
    private final Messaging messaging;
    private final Logger logger;
    private final int maxMessageSize;
    private final List<Thread> takers = new ArrayList<>();
    private volatile boolean started;
    private volatile boolean closed;

    private PaperboyConnector(Builder builder, Messaging messaging) {
        this.tokens = builder.tokens();
        this.handler = builder.handler;
        this.logger = builder.logger;
        this.maxMessageSize = builder.maxMessageSize;
        this.messaging = messaging;
        for (int i = 0; i < builder.concurrency; i++) {
            // Nobody's end waits for a callback that hangs.
            Thread taker = new Thread(this::takeAll, "paperboy-" + i);
            taker.setDaemon(true);
            takers.add(taker);
        }
    }

    public static Builder builder(PaperboyCallbackHandler handler) {
        return new Builder(handler);
    }

    /** A token that lets a user into a channel; null: be a user. */
    public String generateToken(String userId, String channel) {
        return tokens.generateToken(userId, channel);
    }

    /** Who the token is for. */
    public Claims verifyToken(String token) throws TokenException {
        return tokens.verify(token);
    }

    /**
     * Begins to take requests. What is away is tried again by itself; throws
     * only where the callback's port can't be had.
     */
    public synchronized void start() throws IOException {
        if (closed) throw new IllegalStateException("it is closed");
        if (started) throw new IllegalStateException("start() came before");
        messaging.start();
        started = true;
        takers.forEach(Thread::start);
    }

    /** Sends to all of the user's connections; how many servers took it. */
    public long sendToUser(String userId, Object payload) {
        return send(Check.name("userId", userId), null, payload);
    }

    /** Sends to all who have subscribed; how many servers took it. */
    public long sendToChannel(String channel, Object payload) {
        return send(null, Check.name("channel", channel), payload);
    }

    /** Ends the user's subscriptions to the channel. */
    public long closeSubscription(String userId, String channel) {
        Check.name("userId", userId);
        Check.name("channel", channel);
        return publish(Messaging.CLOSE, about(null, userId, channel));
    }

    /** Takes no more requests, ends those that run, disconnects. */
    @Override
    public synchronized void close() {
        if (closed) return;
        closed = true;
        long deadline = System.nanoTime()
                + TimeUnit.MILLISECONDS.toNanos(CLOSE_WITHIN);
        boolean interrupted = false;
        for (Thread taker : takers) {
            if (taker == Thread.currentThread() || interrupted) continue;
            try {
                TimeUnit.NANOSECONDS.timedJoin(
                        taker, Math.max(deadline - System.nanoTime(), 1));
            } catch (InterruptedException error) {
                interrupted = true;
            }
        }
        messaging.close();
        if (interrupted) Thread.currentThread().interrupt();
    }

    // --- messages ----------------------------------------------------------

    private long send(String userId, String channel, Object payload) {
        JsonElement tree;
        try {
            tree = Json.GSON.toJsonTree(payload);
        } catch (RuntimeException error) {
            throw new IllegalArgumentException(
                    "payload: it has no form in JSON", error);
        }
        JsonObject message = new JsonObject();
        message.addProperty("userId", userId);
        message.addProperty("channel", channel);
        message.add("payload", tree);
        message.addProperty("timestamp", System.currentTimeMillis());
        return publish(Messaging.MESSAGE, message);
    }

    private long publish(String topic, JsonObject message) {
        String text = Json.GSON.toJson(message);
        if (!Check.isUnicode(text)) {
            throw Check.wrong("payload", "it is no Unicode");
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > maxMessageSize) {
            throw new IllegalArgumentException(
                    "the message has " + bytes.length
                            + " bytes; maxMessageSize is " + maxMessageSize);
        }
        if (!started) throw new DeliveryException("it was not started");
        return messaging.publish(topic, bytes);
    }

    private static JsonObject about(
            String wsId, String userId, String channel) {
        JsonObject message = new JsonObject();
        message.addProperty("wsId", wsId);
        message.addProperty("token", (String) null);
        message.addProperty("userId", userId);
        message.addProperty("channel", channel);
        return message;
    }

    // --- requests ----------------------------------------------------------

    private void takeAll() {
        while (!closed) {
            try {
                byte[] request = messaging.take();
                if (request != null) handle(request);
            } catch (InterruptedException error) {
                return;
            } catch (RuntimeException error) {
                logger.log(Level.ERROR, "a request failed", error);
            }
        }
    }

    private void handle(byte[] bytes) throws InterruptedException {
        JsonObject request = bytes.length > Messaging.MAX_REQUEST
                ? null
                : Json.read(new String(bytes, StandardCharsets.UTF_8));
        String wsId = request == null ? null : Json.text(request, "wsId");
        String token = request == null ? null : Json.text(request, "token");
        if (wsId == null || wsId.isEmpty() || wsId.length() > 128
                || token == null) {
            logger.log(Level.WARNING, "a request that is none was dropped");
            return;
        }
        Claims claims;
        try {
            claims = tokens.verify(token);
        } catch (TokenException error) {
            warn("a bad token of connection " + quoted(wsId) + ": "
                    + error.getMessage());
            return;
        }
        authorize(wsId, claims.userId(), claims.channel());
    }

    private void authorize(String wsId, String userId, String channel) {
        JsonObject message = about(wsId, userId, channel);
        message.remove("token");
        String who = Json.GSON.toJson(message);
        try {
            if (!handler.hasAccess(userId, channel)) {
                logger.log(Level.INFO, () -> "no access: " + who);
                return;
            }
        } catch (Exception error) {
            logger.log(Level.ERROR, () -> "hasAccess failed: " + who, error);
            return;
        }
        try {
            publish(Messaging.AUTHORIZED, about(wsId, userId, channel));
        } catch (DeliveryException error) {
            logger.log(Level.ERROR,
                    () -> "no authorisation was sent: " + who, error);
            return;
        }
        try {
            handler.onSubscription(userId, channel);
        } catch (Exception error) {
            logger.log(Level.ERROR,
                    () -> "onSubscription failed: " + who, error);
        }
    }

    // What a client or an application has said is no pattern of a log's.
    private void warn(String text) {
        logger.log(Level.WARNING, () -> text);
    }

    private static String quoted(String text) {
        return Json.GSON.toJson(text);
    }

    /** What a connector is made of; `redis` or `embedded` is needed. */
    public static final class Builder {
        private final PaperboyCallbackHandler handler;
        private String secret;
        private Duration tokenLifetime = TokenService.DEFAULT_LIFETIME;
        private String redisAddress;
        private UnifiedJedis redisClient;
        private EmbeddedOptions embedded;
        private int concurrency = 4;
        private int maxMessageSize = 64 * 1024;
        private Logger logger = System.getLogger("paperboy.connector");

        private Builder(PaperboyCallbackHandler handler) {
            this.handler = Check.given("handler", handler);
        }

        /** An address: redis://HOST:PORT, or rediss: for TLS. */
        public Builder redis(String address) {
            this.redisAddress = address;
            return this;
        }

        /**
         * A client of the application's, which stays the application's. It
         * needs connections for all threads that take and send.
         */
        public Builder redis(UnifiedJedis client) {
            this.redisClient = client;
            return this;
        }

        public Builder embedded(EmbeddedOptions options) {
            this.embedded = options;
            return this;
        }

        /** Signs tokens; else PAPERBOY_JWT_SECRET. */
        public Builder secret(String secret) {
            this.secret = secret;
            return this;
        }

        /** 8 h. */
        public Builder tokenLifetime(Duration lifetime) {
            this.tokenLifetime = lifetime;
            return this;
        }

        /** Threads that look at requests: 4. */
        public Builder concurrency(int threads) {
            this.concurrency = Check.integer("concurrency", threads, 1, 1000);
            return this;
        }

        /** Bytes of what is sent: 65536. */
        public Builder maxMessageSize(int bytes) {
            this.maxMessageSize =
                    Check.integer("maxMessageSize", bytes, 1, 64 << 20);
            return this;
        }

        /** That of the name paperboy.connector. */
        public Builder logger(Logger logger) {
            this.logger = Check.given("logger", logger);
            return this;
        }

        public PaperboyConnector build() {
            int given = 0;
            for (Object one : new Object[] {
                redisAddress, redisClient, embedded
            }) {
                if (one != null) given++;
            }
            if (given != 1) {
                throw new IllegalArgumentException(
                        "one of redis and embedded is expected");
            }
            tokens(); // before anything that is to be closed
            return new PaperboyConnector(this, messaging());
        }

        private TokenService tokens() {
            return new TokenService(secret, tokenLifetime);
        }

        private Messaging messaging() {
            if (embedded != null) {
                return new EmbeddedMessaging(embedded, logger);
            }
            if (redisClient != null) {
                return new RedisMessaging(redisClient, logger);
            }
            return new RedisMessaging(redisAddress, concurrency, logger);
        }
    }
}
